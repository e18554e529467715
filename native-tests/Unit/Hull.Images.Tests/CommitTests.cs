using System.Text;
using Hull.Images.Diffing;
using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Tests;

/// <summary>What a writable directory over an image becomes as a layer, and back.</summary>
public sealed class CommitTests : IDisposable
{
    private const string Ordinary = "kept";
    private readonly StoreFixture _fixture = new();
    private readonly Image _base;
    private readonly string _upper;
    private int _uppers;

    public CommitTests()
    {
        _base = _fixture.AddImage("base", new TarBuilder()
            .Dir("etc", mtime: "1000").File("etc/passwd", "root").File("etc/group", "root").File(Ordinary, "x")
            .Dir("opt", mtime: "1000").File("opt/old", "old").Dir("var", mtime: "1000").File("var/file", "x").Build());
        _upper = NewUpper();
    }

    public void Dispose() => _fixture.Dispose();

    private UpperDirectory Upper => new(_upper, _base.ChainIds);

    [RootFact]
    public void MakeLayer_EveryKindOfFile_IsTheSameWhenUnpacked()
    {
        FillWithEveryKind(_upper);

        string unpacked = Commit(out Image image);

        Assert.Equal(Describe(_upper), Describe(unpacked));
        Assert.Equal(_base.ChainIds[0], image.ChainIds[0]);
        _fixture.AssertNothingStaged();
    }

    [RootFact]
    public void MakeLayer_EqualContents_GiveAnEqualDiffId()
    {
        FillWithEveryKind(_upper);
        string other = NewUpper();
        FillWithEveryKind(other, backwards: true);

        using MadeLayer first = _fixture.Store.MakeLayer(Upper);
        using MadeLayer second = _fixture.Store.MakeLayer(Upper with { Path = other });

        Assert.Equal(first.DiffId, second.DiffId);
    }

    [RootFact]
    public void Changes_OfAnUpperDirectory_AreDockers()
    {
        Make(_upper, "etc/new", "x");
        Make(_upper, "etc/passwd", "changed");
        Whiteout(_upper, "etc/group");
        Make(_upper, "srv/deep/file", "x");
        CopyUp("var");

        Assert.Equal(
            ["C /etc", "D /etc/group", "A /etc/new", "C /etc/passwd", "A /srv", "A /srv/deep", "A /srv/deep/file"],
            Lines(Upper));
    }

    [RootFact]
    public void Changes_DirectoryWithAnotherMode_IsOneOfItsOwn()
    {
        CopyUp("var");
        CopyUp("opt");
        File.SetUnixFileMode($"{_upper}/var", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        SetTimes($"{_upper}/var");

        Assert.Equal(["C /var"], Lines(Upper));
    }

    [RootFact]
    public void Changes_Scaffold_IsNone()
    {
        Make(_upper, "etc/hosts", "");
        Make(_upper, "proc/.keep", "");
        UpperDirectory upper = Upper with
        {
            IsScaffold = (path, metadata) => Encoding.UTF8.GetString(path) is "etc" or "etc/hosts" or "proc" or "proc/.keep",
        };

        Assert.Empty(Lines(upper));
        using MadeLayer layer = _fixture.Store.MakeLayer(upper);
        Assert.True(layer.IsEmpty);
    }

    [RootFact]
    public void MakeLayer_DirectoryMadeAnew_HidesTheOldOne()
    {
        Make(_upper, "opt/fresh", "x");
        using (SafeFileHandle directory = Files.Open($"{_upper}/opt", OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            Assert.Equal(Errno.None, Files.TrySetAttribute(directory, "trusted.overlay.opaque", "y"u8));
        }

        string unpacked = Commit(out Image image);

        using SafeFileHandle made = Files.Open($"{unpacked}/opt", OpenFlags.ReadOnly | OpenFlags.Directory);
        Assert.Equal("y"u8.ToArray(), Files.TryGetAttribute(made, "trusted.overlay.opaque", out _));
        Assert.Equal(["opt/fresh"], Merged(image).Where(path => path.StartsWith("opt/", StringComparison.Ordinal)));
    }

    [RootFact]
    public void MakeLayer_IdsOfAUserNamespace_BecomeTheContainers()
    {
        Make(_upper, "mine", "x");
        using (SafeFileHandle file = Files.Open($"{_upper}/mine", OpenFlags.ReadOnly))
        {
            Files.ChangeOwner(file, 100_007, 100_008);
        }

        using MadeLayer layer = _fixture.Store.MakeLayer(Upper with { IdInContainer = host => host >= 100_000 ? host - 100_000 : host });
        Image image = _fixture.Store.Commit(_base, layer, Description);

        FileMetadata mine = StoreFixture.Stat(_fixture.Store.Layers.DirectoryOf(image.ChainIds[^1]) + "/mine");
        Assert.Equal((7u, 8u), (mine.UserId, mine.GroupId));
    }

    [RootFact]
    public void Commit_NothingChanged_AddsNoLayerButAStepOfHistory()
    {
        Commit(out Image image);

        Assert.Equal(_base.ChainIds, image.ChainIds);
        ImageHistory step = _fixture.Store.ReadConfig(image).History![^1];
        Assert.Equal((true, "note", "who", "sh -c x"), (step.EmptyLayer, step.Comment, step.Author, step.CreatedBy));
        Assert.NotEqual(_base.Id, image.Id);
    }

    [RootFact]
    public void Commit_TheSameLayerTwice_IsStoredOnce()
    {
        Make(_upper, "new", "x");
        Commit(out Image first);
        Commit(out Image second);

        Assert.Equal(first.ChainIds, second.ChainIds);
        Assert.Equal(first.Layers[^1].Blob.Digest, second.Layers[^1].Blob.Digest);
        _fixture.AssertNothingStaged();
    }

    [RootFact]
    public void Squash_Image_IsOneLayerOfWhatItShows()
    {
        Make(_upper, "etc/new", "x");
        Whiteout(_upper, "etc/group");
        Commit(out Image layered);

        Image squashed = _fixture.Store.Squash(layered, Description);

        Assert.Single(squashed.ChainIds);
        Assert.Equal(Merged(layered), Merged(squashed));
        Assert.Equal(
            Describe(_fixture.Store.Layers.DirectoryOf(squashed.ChainIds[0])).Where(line => line.Contains("group", StringComparison.Ordinal)), []);
    }

    [RootFact]
    public void MakeLayer_Whole_HasTheContainersFilesToo()
    {
        Make(_upper, "etc/new", "x");
        Whiteout(_upper, "etc/group");

        using MadeLayer layer = _fixture.Store.MakeLayer(Upper, whole: true);
        Image image = _fixture.Store.Commit(_base, layer, Description);

        Assert.Single(image.ChainIds);
        Assert.Equal(["etc", "etc/new", "etc/passwd", Ordinary, "opt", "opt/old", "var", "var/file"], Merged(image));
    }

    [RootFact]
    public void MakeLayer_Whole_IsWhatTheChangesOverTheImageAre()
    {
        // A place for a mount in a directory of the image, in one of its own, and one that got something of the container's beside it.
        Make(_upper, "etc/place", "");
        Make(_upper, "empty/place", "");
        Make(_upper, "filled/place", "");
        Make(_upper, "filled/data", "x");
        CopyUp("var");
        Make(_upper, "opt/new", "x");
        UpperDirectory upper = Upper with
        {
            IsScaffold = static (path, found) => found.IsDirectory ? path.AsSpan().IndexOf((byte)'/') < 0 : path.AsSpan().EndsWith("place"u8),
        };

        using MadeLayer whole = _fixture.Store.MakeLayer(upper, whole: true);
        using MadeLayer changes = _fixture.Store.MakeLayer(upper);
        Image squashed = _fixture.Store.Commit(_base, whole, Description);
        Image layered = _fixture.Store.Commit(_base, changes, Description);

        Assert.Equal(Merged(layered), Merged(squashed));
        Assert.Equal(["A /filled", "A /filled/data", "C /opt", "A /opt/new"], Lines(_fixture.Store.Compare(_base, squashed)));
        Assert.Equal(1000, new DateTimeOffset(Directory.GetLastWriteTimeUtc(_fixture.Store.Layers.DirectoryOf(squashed.ChainIds[0]) + "/etc")).ToUnixTimeSeconds());
    }

    [RootFact]
    public void Export_Container_IsTheMergedRoot()
    {
        Make(_upper, "etc/new", "new");
        Whiteout(_upper, "etc/group");
        using MemoryStream tar = new();

        _fixture.Store.Export(Upper, tar);

        List<string> names = [];
        TarReader reader = new(new StreamTarInput(new MemoryStream(tar.ToArray())));
        while (reader.MoveNext())
        {
            names.Add(reader.Current.DisplayName);
        }

        Assert.Equal(["etc/", "etc/new", "etc/passwd", Ordinary, "opt/", "opt/old", "var/", "var/file"], names);
    }

    [RootFact]
    public void MakeLayer_TreeDeeperThanALayerMayBe_SaysSo()
    {
        string deep = string.Join('/', Enumerable.Repeat("d", EntryPath.MaxDepth + 1));
        Directory.CreateDirectory($"{_upper}/{deep}");

        ImageException error = Assert.Throws<ImageException>(() => _fixture.Store.MakeLayer(Upper));

        Assert.Contains("directories deep", error.Message, StringComparison.Ordinal);
        _fixture.AssertNothingStaged();
    }

    [RootFact]
    public void MakeLayer_FileThatIsCalledLikeAWhiteout_IsRefused()
    {
        Make(_upper, "etc/.wh.passwd", "x");

        ImageException error = Assert.Throws<ImageException>(() => _fixture.Store.MakeLayer(Upper));

        Assert.Contains("'/etc/.wh.passwd': in a layer a name that begins with '.wh.' deletes a file", error.Message, StringComparison.Ordinal);
        using MemoryStream tar = new();
        _fixture.Store.Export(Upper, tar);
        Assert.True(tar.Length > 1024);
    }

    private static NewImage Description => new()
    {
        Created = DateTimeOffset.UnixEpoch,
        Author = "who",
        Comment = "note",
        CreatedBy = "sh -c x",
        Defaults = new ImageDefaults(),
    };

    private string NewUpper()
    {
        string upper = $"{_fixture.Root}/upper-{_uppers++}";
        Directory.CreateDirectory(upper);
        File.SetUnixFileMode(upper, (UnixFileMode)UpperDirectory.RootMode);
        return upper;
    }

    /// <summary>Commits the upper directory and gives the directory of the new layer.</summary>
    private string Commit(out Image image)
    {
        using MadeLayer layer = _fixture.Store.MakeLayer(Upper);
        image = _fixture.Store.Commit(_base, layer, Description);
        return _fixture.Store.Layers.DirectoryOf(image.ChainIds[^1]);
    }

    private List<string> Lines(UpperDirectory upper) => Lines(_fixture.Store.Changes(upper));

    private static List<string> Lines(IEnumerable<PathChange> changes) => [.. changes
        .Select(change => $"{(change.Kind switch { ChangeKind.Added => 'A', ChangeKind.Deleted => 'D', _ => 'C' })} /{Encoding.UTF8.GetString(change.Path)}")];

    /// <summary>The paths that a container of the image sees.</summary>
    private List<string> Merged(Image image)
    {
        using MemoryStream tar = new();
        string empty = NewUpper();
        _fixture.Store.Export(new UpperDirectory(empty, image.ChainIds), tar);
        List<string> names = [];
        TarReader reader = new(new StreamTarInput(new MemoryStream(tar.ToArray())));
        while (reader.MoveNext())
        {
            names.Add(reader.Current.DisplayName.TrimEnd('/'));
        }

        return names;
    }

    private void CopyUp(string directory)
    {
        Directory.CreateDirectory($"{_upper}/{directory}");
        SetTimes($"{_upper}/{directory}");
    }

    /// <summary>The base image's time.</summary>
    private static void SetTimes(string directory)
    {
        using SafeFileHandle handle = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.SetTimes(handle, 1000, 0);
    }

    private static void Make(string root, string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName($"{root}/{path}")!);
        File.WriteAllText($"{root}/{path}", content);
    }

    private static void Whiteout(string root, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName($"{root}/{path}")!);
        Files.MakeNode(null, $"{root}/{path}", FileType.CharacterDevice, 0, 0, 0);
    }

    /// <summary>Files of every kind with odd names, owners, modes, times and attributes; at fixed times, whatever the order.</summary>
    private static void FillWithEveryKind(string root, bool backwards = false)
    {
        using SafeFileHandle top = Files.Open(root, OpenFlags.ReadOnly | OpenFlags.Directory);
        byte[] notText = [(byte)'n', 0xff, 0xfe, (byte)'o'];
        byte[] longest = [.. Enumerable.Repeat((byte)'l', 255)];
        List<Action> steps =
        [
            () => Make(root, "etc/plain", "hello"),
            () => Make(root, "etc/suid", "hello"),
            () => Make(root, $"{new string('a', 200)}/{new string('b', 200)}/c", "deep"),
            () => Make(root, "empty", ""),
            () => Whiteout(root, "etc/group"),
            () => Assert.Equal(Errno.None, Files.TryMakeNode(top, notText, FileType.Regular, 0x1A4, 0, 0)),
            () => Assert.Equal(Errno.None, Files.TryMakeSymbolicLink([.. Enumerable.Repeat((byte)'t', 300)], top, longest)),
            () => Assert.Equal(Errno.None, Files.TryMakeNode(top, "pipe"u8, FileType.Fifo, 0x1B6, 0, 0)),
            () => Assert.Equal(Errno.None, Files.TryMakeNode(top, "disk"u8, FileType.BlockDevice, 0x180, 259, 70000)),
            () =>
            {
                using FileStream holes = new($"{root}/holes", FileMode.CreateNew);
                holes.Position = 1 << 20;
                holes.Write("middle"u8);
                holes.SetLength(3 << 20);
            },
        ];
        if (backwards)
        {
            steps.Reverse();
        }

        steps.ForEach(step => step());
        using (SafeFileHandle etc = Files.Open($"{root}/etc", OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            Assert.Equal(Errno.None, Files.TryLink(etc, "plain"u8, top, "zlink"u8));
        }

        Change(root, "etc/plain", 4_000_000_000, 3_000_000, 0x1A4);
        Change(root, "etc/suid", 1, 2, 0xDED);
        using (SafeFileHandle suid = Files.Open($"{root}/etc/suid", OpenFlags.ReadOnly))
        {
            // struct vfs_ns_cap_data, version 2: cap_net_raw, effective.
            byte[] capability = new byte[20];
            capability[0] = 1;
            capability[3] = 2;
            capability[5] = 0x20;
            Assert.Equal(Errno.None, Files.TrySetAttribute(suid, "security.capability", capability));
            Errno user = Files.TrySetAttribute(suid, "user.note", [0, 1, (byte)'\n', 0xff]);
            Assert.True(user is Errno.None or Errno.EOPNOTSUPP);
        }

        foreach (string path in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Reverse())
        {
            Touch(root, Path.GetRelativePath(root, path));
        }

        Assert.Equal(Errno.None, Files.TrySetTimes(top, notText, -2, 500_000_000));
    }

    private static void Change(string root, string path, uint user, uint group, uint mode)
    {
        using SafeFileHandle file = Files.Open($"{root}/{path}", OpenFlags.ReadOnly);
        Files.ChangeOwner(file, user, group);
        Files.ChangeMode(file, mode);
    }

    private static void Touch(string root, string path)
    {
        using SafeFileHandle parent = Files.Open(Path.GetDirectoryName($"{root}/{path}")!, OpenFlags.ReadOnly | OpenFlags.Directory);
        byte[] name = Encoding.UTF8.GetBytes(Path.GetFileName(path));
        // A name that is not UTF-8 gets its time from the caller.
        _ = Files.TrySetTimes(parent, name, 1_700_000_000 + path.Length, (uint)path.Length * 1000);
    }

    /// <summary>A line for each entry with all that a layer keeps.</summary>
    private static List<string> Describe(string root)
    {
        List<string> lines = [];
        using SafeFileHandle handle = Files.Open(root, OpenFlags.ReadOnly | OpenFlags.Directory);
        Describe(handle, "", lines, []);
        return lines;
    }

    private static void Describe(SafeFileHandle directory, string path, List<string> lines, Dictionary<ulong, string> inodes)
    {
        using SafeFileHandle listing = Files.OpenAt(directory, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(listing).OrderBy(entry => entry.Name, ByteOrder.Instance))
        {
            FileMetadata found = Files.TryStatAt(directory, entry.Name, out _)!.Value;
            string name = $"{path}/{Encoding.Latin1.GetString(entry.Name)}";
            string time = Whiteouts(found) ? "" : $"{found.ModifiedSeconds}.{found.ModifiedNanoseconds}";
            string line = $"{name} {found.Type} {found.Permissions:X} {found.UserId}:{found.GroupId} {time} {found.RawDeviceMajor}:{found.RawDeviceMinor}";
            if (found.Type == FileType.SymbolicLink)
            {
                line += " -> " + Encoding.Latin1.GetString(Files.TryReadLink(directory, entry.Name, out _)!);
            }
            else if (found.IsRegular || found.IsDirectory)
            {
                using SafeFileHandle file = Files.TryOpenAt(directory, entry.Name, OpenFlags.ReadOnly, 0, out _)!;
                line += " " + string.Join(',', LayerAttributes.Read(file, name).Select(pair => $"{pair.Name}={Convert.ToHexString(pair.Value)}"));
                if (found.IsRegular)
                {
                    byte[] content = Files.ReadAll(file, 16 << 20);
                    line += $" {content.Length} {Digest.Of(content).Short} sparse={found.Size - (found.Blocks * 512) is > 1 << 20 and < 1 << 30}";
                    line += inodes.TryGetValue(found.Inode, out string? first) ? $" = {first}" : "";
                    inodes.TryAdd(found.Inode, name);
                }
            }

            lines.Add(line);
            if (found.IsDirectory)
            {
                using SafeFileHandle inner = Files.TryOpenAt(directory, entry.Name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _)!;
                Describe(inner, name, lines, inodes);
            }
        }
    }

    private static bool Whiteouts(FileMetadata metadata) => Unpacking.Whiteout.Is(metadata);
}
