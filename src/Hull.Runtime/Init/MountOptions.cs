using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>The option words of one mount of a spec, sorted by what the kernel calls do with them.</summary>
/// <remarks>Words: mount(8), runtime-spec config.md "Linux mount options". An r before a flag word (<c>rro</c>) is recursive.</remarks>
internal sealed class MountOptions
{
    private static readonly Dictionary<string, (MountAttributes Set, MountAttributes Clear)> Flags = new(StringComparer.Ordinal)
    {
        ["ro"] = (MountAttributes.ReadOnly, 0),
        ["rw"] = (0, MountAttributes.ReadOnly),
        ["nosuid"] = (MountAttributes.NoSetuid, 0),
        ["suid"] = (0, MountAttributes.NoSetuid),
        ["nodev"] = (MountAttributes.NoDevices, 0),
        ["dev"] = (0, MountAttributes.NoDevices),
        ["noexec"] = (MountAttributes.NoExecute, 0),
        ["exec"] = (0, MountAttributes.NoExecute),
        ["noatime"] = (MountAttributes.NoAccessTime, MountAttributes.AccessTimeMask),
        ["relatime"] = (0, MountAttributes.AccessTimeMask),
        ["atime"] = (0, MountAttributes.AccessTimeMask),
        ["strictatime"] = (MountAttributes.StrictAccessTime, MountAttributes.AccessTimeMask),
        ["norelatime"] = (MountAttributes.StrictAccessTime, MountAttributes.AccessTimeMask),
        ["nostrictatime"] = (0, MountAttributes.AccessTimeMask),
        ["nodiratime"] = (MountAttributes.NoDirectoryAccessTime, 0),
        ["diratime"] = (0, MountAttributes.NoDirectoryAccessTime),
        ["nosymfollow"] = (MountAttributes.NoSymbolicLinks, 0),
        ["symfollow"] = (0, MountAttributes.NoSymbolicLinks),
    };

    /// <summary>Words that mean nothing to a mount made here: defaults, or superblock words of other tools.</summary>
    private static readonly HashSet<string> Meaningless = new(StringComparer.Ordinal)
    {
        "defaults", "async", "sync", "dirsync", "nodirsync", "loud", "silent", "mand", "nomand", "iversion", "noiversion", "newinstance",
        "lazytime", "nolazytime", "z", "Z", "nocopy", "private-users", "remount",
    };

    /// <summary>The kind of propagation, alone or, with an r before it, recursive.</summary>
    private static readonly Dictionary<string, MountFlags> Propagations = new(StringComparer.Ordinal)
    {
        ["shared"] = MountFlags.Shared,
        ["slave"] = MountFlags.Slave,
        ["private"] = MountFlags.Private,
        ["unbindable"] = MountFlags.Unbindable,
    };

    /// <summary>Every word that is acted on or known to need no act.</summary>
    public static IEnumerable<string> Words =>
        Flags.Keys.Concat(Propagations.Keys).SelectMany(word => new[] { word, "r" + word }).Concat(Meaningless).Concat(["bind", "rbind", "idmap", "ridmap", "tmpcopyup"]);

    public MountAttributes Set { get; private set; }

    public MountAttributes Clear { get; private set; }

    public MountAttributes SetRecursive { get; private set; }

    public MountAttributes ClearRecursive { get; private set; }

    public MountFlags Propagation { get; private set; }

    public bool PropagationRecursive { get; private set; }

    public bool Bind { get; private set; }

    public bool Recursive { get; private set; }

    public bool CopyUp { get; private set; }

    /// <summary>The owners of files appear through a mapping (mount_setattr(2), Linux 5.12).</summary>
    public bool IdMapped { get; private set; }

    public bool IdMappedRecursive { get; private set; }

    /// <summary>What is left for the file system itself, in order.</summary>
    public List<string> Data { get; } = [];

    public static MountOptions Parse(IReadOnlyList<string>? words)
    {
        MountOptions options = new();
        foreach (string word in words ?? [])
        {
            options.Add(word);
        }

        return options;
    }

    /// <summary>The propagation type behind a word such as <c>rslave</c>, with MS_REC where recursive; None if it is none.</summary>
    public static MountFlags PropagationOf(string word) =>
        Propagations.TryGetValue(word, out MountFlags kind) ? kind
        : word.StartsWith('r') && Propagations.TryGetValue(word[1..], out kind) ? kind | MountFlags.Recursive
        : MountFlags.None;

    private void Add(string word)
    {
        MountFlags propagation = PropagationOf(word);
        if (propagation != MountFlags.None)
        {
            Propagation = propagation & ~MountFlags.Recursive;
            PropagationRecursive = (propagation & MountFlags.Recursive) != 0;
        }
        else if (Flags.TryGetValue(word, out (MountAttributes Set, MountAttributes Clear) flag))
        {
            Set = (Set & ~flag.Clear) | flag.Set;
            Clear |= flag.Clear;
        }
        else if (word.StartsWith('r') && Flags.TryGetValue(word[1..], out flag))
        {
            SetRecursive = (SetRecursive & ~flag.Clear) | flag.Set;
            ClearRecursive |= flag.Clear;
        }
        else if (word is "bind" or "rbind")
        {
            Bind = true;
            Recursive = word == "rbind";
        }
        else if (word is "idmap" or "ridmap")
        {
            IdMapped = true;
            IdMappedRecursive = word == "ridmap";
        }
        else if (word == "tmpcopyup")
        {
            CopyUp = true;
        }
        else if (!Meaningless.Contains(word))
        {
            Data.Add(word);
        }
    }
}
