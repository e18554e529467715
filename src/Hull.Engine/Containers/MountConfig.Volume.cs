using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>-v and --tmpfs.</summary>
public sealed partial record MountConfig
{
    /// <summary><c>-v [SOURCE:]TARGET[:MODE]</c>: a source with a leading slash (or <c>./</c>, which the caller's
    /// <paramref name="currentDirectory"/> completes) is a path of the host, any other a volume's name.</summary>
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static MountConfig ParseVolume(string text, string? currentDirectory = null)
    {
        string[] parts = text.Split(':');
        string? source = null;
        string target;
        string? mode = null;
        switch (parts.Length)
        {
            case 1:
                target = parts[0];
                break;
            case 2 when IsMode(parts[1]):
                (target, mode) = (parts[0], parts[1]);
                break;
            case 2:
                (source, target) = (parts[0], parts[1]);
                break;
            case 3:
                (source, target, mode) = (parts[0], parts[1], parts[2]);
                break;
            default:
                throw BadVolume(text, "too many colons");
        }

        if (source is "")
        {
            throw BadVolume(text, "empty section between colons");
        }

        MountConfig mount = new()
        {
            Kind = MountKind.Volume,
            Origin = MountOrigin.VolumeFlag,
            Target = CheckTarget(target, problem => BadVolume(text, problem)),
            Mode = mode,
        };
        if (source is not null && IsHostPath(source))
        {
            source = source[0] == '/' ? source : Path.Combine(currentDirectory ?? Environment.CurrentDirectory, source);
            mount = mount with { Kind = MountKind.Bind, Source = ContainerPath.Clean(source) };
        }
        else if (source is not null)
        {
            mount = mount with { Source = VolumeName(source) };
        }
        else
        {
            mount = mount with { Anonymous = true };
        }

        foreach (string word in mode?.Split(',') ?? [])
        {
            mount = ApplyMode(mount, word) ?? throw BadVolume(text, $"invalid mode: {FlagText.Printable(mode!)}");
        }

        return mount;
    }

    /// <summary><c>--tmpfs TARGET[:OPTION,…]</c>.</summary>
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static MountConfig ParseTmpfs(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string target = colon < 0 ? text : text[..colon];
        MountConfig mount = new()
        {
            Kind = MountKind.Tmpfs,
            Origin = MountOrigin.TmpfsFlag,
            Target = CheckTarget(target, problem => EngineException.Invalid($"invalid tmpfs mount '{FlagText.Printable(text)}': {problem}")),
            Mode = colon < 0 ? null : text[(colon + 1)..],
        };
        return colon < 0 || colon == text.Length - 1 ? mount : mount with { TmpfsOptions = TmpfsWords(text[(colon + 1)..].Split(',')) };
    }

    /// <summary>Options of a tmpfs that change nothing but itself (tmpfs(5)); anything else is refused, so that no word of
    /// another filesystem or of the mount call itself slips in.</summary>
    private static string[] TmpfsWords(string[] words)
    {
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? word : word[..equals];
            bool valid = equals < 0
                ? key is "ro" or "rw" or "exec" or "noexec" or "suid" or "nosuid" or "dev" or "nodev" or "sync" or "async"
                    or "atime" or "noatime" or "diratime" or "nodiratime" or "relatime" or "norelatime" or "strictatime"
                    or "nostrictatime" or "remount" or "mand" or "nomand" or "noswap"
                    or "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave" or "unbindable" or "runbindable"
                : key is "size" or "mode" or "uid" or "gid" or "nr_inodes" or "nr_blocks" or "mpol" or "huge"
                    && equals + 1 < word.Length && !FlagText.HasControl(word);
            if (!valid)
            {
                throw EngineException.Invalid($"invalid tmpfs option [\"{FlagText.Printable(word)}\"]");
            }

            if (key is "size" && !word.EndsWith('%') && !ByteSize.TryParse(word.AsSpan(equals + 1), out _))
            {
                throw EngineException.Invalid($"invalid tmpfs option [\"{FlagText.Printable(word)}\"]: not a size");
            }
        }

        return words;
    }

    private static MountConfig? ApplyMode(MountConfig mount, string word) => word switch
    {
        "ro" or "readonly" => mount with { ReadOnly = true },
        "rw" => mount,
        // SELinux labels and Docker Desktop's consistency: accepted, without effect here, as docker does on such a host.
        "z" or "Z" or "consistent" or "cached" or "delegated" or "default" => mount,
        "nocopy" when mount.Kind == MountKind.Volume => mount with { NoCopy = true },
        "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave" when mount.Kind == MountKind.Bind =>
            mount with { Propagation = word },
        _ => null,
    };

    /// <summary>Whether every word is one of a mode, so that <c>/data:ro</c> is a target and its mode.</summary>
    private static bool IsMode(string text)
    {
        foreach (string word in text.Split(','))
        {
            if (word is not ("ro" or "rw" or "z" or "Z" or "nocopy" or "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave"
                or "consistent" or "cached" or "delegated"))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHostPath(string source) => source[0] == '/'
        || source is "." or ".."
        || source.StartsWith("./", StringComparison.Ordinal)
        || source.StartsWith("../", StringComparison.Ordinal);

    private static string CheckTarget(string target, Func<string, EngineException> bad)
    {
        if (target.Length == 0 || target[0] != '/')
        {
            throw bad($"invalid mount path: '{FlagText.Printable(target)}' mount path must be absolute");
        }

        // An embedded NUL would end the path where the kernel reads it; a line end has no business in one either.
        if (FlagText.HasControl(target))
        {
            throw bad("the mount path holds control characters");
        }

        string clean = ContainerPath.Clean(target);
        return clean != "/" ? clean : throw bad("destination can't be '/'");
    }

    /// <summary>The name, if it can stand as a directory's.</summary>
    internal static string VolumeName(string name)
    {
        if (name.Length == 1)
        {
            throw EngineException.Invalid("volume name is too short, names should be at least two alphanumeric characters");
        }

        return ContainerName.IsValid(name)
            ? name
            : throw EngineException.Invalid(
                $"\"{FlagText.Printable(name)}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. "
                + "If you intended to pass a host directory, use absolute path");
    }

    private static EngineException BadVolume(string text, string problem) =>
        EngineException.Invalid($"invalid volume specification: '{FlagText.Printable(text)}': {problem}");
}
