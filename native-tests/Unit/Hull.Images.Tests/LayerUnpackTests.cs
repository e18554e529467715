using System.Text;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Tests;

/// <summary>What well-formed layers become on disk.</summary>
public sealed class LayerUnpackTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Unpack_FilesAndDirectories_HaveContentModeAndTime()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Dir("etc", 0x1C9, mtime: "1000.5")
            .File("etc/a", "hello", 0x180, mtime: "1700000000.123456789")
            .File("etc/old", "x", mtime: "-1.5")
            .Build());

        Assert.Equal("hello", File.ReadAllText($"{layer}/etc/a"));
        FileMetadata file = StoreFixture.Stat($"{layer}/etc/a");
        Assert.Equal((0x180u, 1700000000L, 123456789u), (file.Permissions, file.ModifiedSeconds, file.ModifiedNanoseconds));
        FileMetadata old = StoreFixture.Stat($"{layer}/etc/old");
        Assert.Equal((-2L, 500000000u), (old.ModifiedSeconds, old.ModifiedNanoseconds));
        FileMetadata directory = StoreFixture.Stat($"{layer}/etc");
        Assert.Equal((0x1C9u, 1000L, 500000000u), (directory.Permissions, directory.ModifiedSeconds, directory.ModifiedNanoseconds));
    }

    [Fact]
    public void Unpack_SpecialBitsAndGroupWrite_AreKeptWhateverTheUmask()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .File("suid", mode: 0x9ED).File("sgid", mode: 0x5ED).File("all", mode: 0x1FF)
            .Dir("tmp", 0x3FF).Dir("sgiddir", 0x5FD).File("sgiddir/f", "x", 0x1B6).Build());

        Assert.Equal(
            [0x9EDu, 0x5EDu, 0x1FFu, 0x3FFu, 0x5FDu, 0x1B6u],
            new[] { "suid", "sgid", "all", "tmp", "sgiddir", "sgiddir/f" }.Select(name => StoreFixture.Stat($"{layer}/{name}").Permissions));
    }

    [RootFact]
    public void Unpack_OwnersBeyond31Bits_AreKept()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .File("f", uid: 4294967294, gid: 2147483648, mode: 0x9ED).Dir("d", uid: 3000000000, gid: 7).File("d/root").Build());

        FileMetadata file = StoreFixture.Stat($"{layer}/f");
        Assert.Equal((4294967294u, 2147483648u, 0x9EDu), (file.UserId, file.GroupId, file.Permissions));
        Assert.Equal((3000000000u, 7u), (StoreFixture.Stat($"{layer}/d").UserId, StoreFixture.Stat($"{layer}/d").GroupId));
        Assert.Equal((0u, 0u), (StoreFixture.Stat($"{layer}/d/root").UserId, StoreFixture.Stat($"{layer}/d/root").GroupId));
    }

    [RootFact]
    public void Unpack_FileInSetGroupIdDirectory_DoesNotInheritTheGroup()
    {
        string layer = _fixture.Unpack(new TarBuilder().Dir("d", 0x5ED, gid: 77).File("d/f").Build());

        Assert.Equal((0u, 77u), (StoreFixture.Stat($"{layer}/d/f").GroupId, StoreFixture.Stat($"{layer}/d").GroupId));
    }

    [RootFact]
    public void Unpack_DevicesAndFifos_AreMade()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Entry("null", '3', mode: 0x1B6, major: 1, minor: 3).Entry("disk", '4', mode: 0x180, major: 259, minor: 70000)
            .Entry("pipe", '6', mode: 0x1B6, uid: 5).Build());

        FileMetadata disk = StoreFixture.Stat($"{layer}/disk");
        Assert.Equal((FileType.CharacterDevice, 0x1B6u), (StoreFixture.Stat($"{layer}/null").Type, StoreFixture.Stat($"{layer}/null").Permissions));
        Assert.Equal((FileType.BlockDevice, 259u, 70000u), (disk.Type, disk.RawDeviceMajor, disk.RawDeviceMinor));
        Assert.Equal((FileType.Fifo, 0x1B6u, 5u), (StoreFixture.Stat($"{layer}/pipe").Type, StoreFixture.Stat($"{layer}/pipe").Permissions, StoreFixture.Stat($"{layer}/pipe").UserId));
    }

    [Fact]
    public void Unpack_Symlinks_KeepTheirTargetsAsTheyAre()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Symlink("abs", "/etc/passwd").Symlink("up", "../../../x").Symlink("dangling", "nowhere").Build());

        Assert.Equal(["/etc/passwd", "../../../x", "nowhere"], new[] { "abs", "up", "dangling" }.Select(name => Files.TryReadLink(null, $"{layer}/{name}", out _)));
    }

    [Fact]
    public void Unpack_HardLinksWithinTheLayer_ShareTheInode()
    {
        string layer = _fixture.Unpack(new TarBuilder().File("a/f", "x").HardLink("b/g", "a/f").HardLink("h", "/a/f").Symlink("s", "gone").HardLink("t", "s").Build());

        Assert.Equal(3u, StoreFixture.Stat($"{layer}/a/f").Links);
        Assert.Equal(StoreFixture.Stat($"{layer}/a/f").Inode, StoreFixture.Stat($"{layer}/h").Inode);
        Assert.True(StoreFixture.Stat($"{layer}/t").IsSymbolicLink);
    }

    [Fact]
    public void Unpack_HardLinkBeforeItsTarget_IsMade()
    {
        string layer = _fixture.Unpack(new TarBuilder().HardLink("b", "a").File("a", "x").Build());

        Assert.Equal(2u, StoreFixture.Stat($"{layer}/b").Links);
    }

    [Fact]
    public void Unpack_HardLinkToFileOfLowerLayer_CopiesItUp()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().Dir("bin", 0x1C0).File("bin/tool", "tool", 0x9ED, mtime: "42.5").Build());

        string upper = _fixture.Unpack(new TarBuilder().HardLink("usr/alias", "bin/tool").HardLink("usr/second", "bin/tool").Build(), lower);

        FileMetadata alias = StoreFixture.Stat($"{upper}/usr/alias");
        Assert.Equal("tool", File.ReadAllText($"{upper}/usr/alias"));
        Assert.Equal((0x9EDu, 42L, 500000000u, 3u), (alias.Permissions, alias.ModifiedSeconds, alias.ModifiedNanoseconds, alias.Links));
        Assert.Equal(alias.Inode, StoreFixture.Stat($"{upper}/bin/tool").Inode);
        // The directory that had to be made takes after the lower one.
        Assert.Equal(0x1C0u, StoreFixture.Stat($"{upper}/bin").Permissions);
    }

    [Fact]
    public void Unpack_HardLinkToFileDeletedBelow_IsRefused()
    {
        Digest first = _fixture.UnpackLayer(new TarBuilder().File("d/f", "x").Build());
        Digest second = _fixture.UnpackLayer(new TarBuilder().Whiteout("d/.wh.f").Build(), first);

        ImageException error = Assert.Throws<ImageException>(() => _fixture.UnpackLayer(new TarBuilder().HardLink("g", "d/f").Build(), first, second));

        Assert.Contains("neither this layer nor one below", error.Message, StringComparison.Ordinal);
        _fixture.AssertNothingStaged();
    }

    [Fact]
    public void Unpack_HardLinkToFileReplacedLater_KeepsTheOldContent()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().File("a", "old").HardLink("b", "a").Build());
        string upper = _fixture.Unpack(new TarBuilder().File("a", "new").Build(), lower);

        Assert.Equal(("new", "old"), (File.ReadAllText($"{upper}/a"), File.ReadAllText($"{_fixture.Store.Layers.DirectoryOf(lower)}/b")));
    }

    [Fact]
    public void Unpack_Whiteout_BecomesDevice()
    {
        string layer = _fixture.Unpack(new TarBuilder().Whiteout("etc/.wh.gone").Build());

        Assert.True(Whiteout.Is(StoreFixture.Stat($"{layer}/etc/gone")));
        Assert.False(File.Exists($"{layer}/etc/.wh.gone"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Unpack_OpaqueMarker_BeforeOrAfterSiblings_MarksTheDirectory(bool before)
    {
        TarBuilder tar = new TarBuilder().Dir("d");
        tar = before ? tar.Whiteout("d/.wh..wh..opq").File("d/f", "x") : tar.File("d/f", "x").Whiteout("d/.wh..wh..opq");

        string layer = _fixture.Unpack(tar.Build());

        Assert.Equal("y", Attribute($"{layer}/d", Whiteout.OpaqueAttribute));
        Assert.Equal(["f"], Directory.GetFileSystemEntries($"{layer}/d").Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Unpack_WhiteoutAndDirectoryOfOneName_MakesItOpaque(bool whiteoutFirst)
    {
        TarBuilder tar = new();
        tar = whiteoutFirst ? tar.Whiteout(".wh.d").Dir("d").File("d/new") : tar.Dir("d").File("d/new").Whiteout(".wh.d");

        string layer = _fixture.Unpack(tar.Build());

        Assert.Equal("y", Attribute($"{layer}/d", Whiteout.OpaqueAttribute));
        Assert.True(File.Exists($"{layer}/d/new"));
    }

    [Fact]
    public void Unpack_WhiteoutAndFileOfOneName_KeepsTheFile()
    {
        string layer = _fixture.Unpack(new TarBuilder().Whiteout(".wh.a").File("a", "x").File("b", "y").Whiteout(".wh.b").Build());

        Assert.Equal(("x", "y"), (File.ReadAllText($"{layer}/a"), File.ReadAllText($"{layer}/b")));
    }

    [Fact]
    public void Unpack_WhiteoutThenChildWithoutDirectoryEntry_MakesItOpaque()
    {
        string layer = _fixture.Unpack(new TarBuilder().Whiteout(".wh.d").File("d/f", "x").Build());

        Assert.Equal("y", Attribute($"{layer}/d", Whiteout.OpaqueAttribute));
    }

    [Fact]
    public void Unpack_OpaqueRoot_HidesEveryNameBelow()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().File("a").Dir("b").File("b/x").Dir("c").Build());

        string upper = _fixture.Unpack(new TarBuilder().Whiteout(".wh..wh..opq").Dir("b").File("b/y").File("n").Build(), lower);

        Assert.True(Whiteout.Is(StoreFixture.Stat($"{upper}/a")));
        Assert.True(Whiteout.Is(StoreFixture.Stat($"{upper}/c")));
        Assert.Equal("y", Attribute($"{upper}/b", Whiteout.OpaqueAttribute));
    }

    [Fact]
    public void Unpack_AufsBookkeeping_IsSkipped()
    {
        string layer = _fixture.Unpack(new TarBuilder().Dir(".wh..wh.plnk").File(".wh..wh.plnk/1.2").File(".wh..wh.aufs").File("f").Build());

        Assert.Equal(["f"], Directory.GetFileSystemEntries(layer).Select(Path.GetFileName));
    }

    [Fact]
    public void Unpack_DirectoryReplacedBySymlinkAndBack_LastOneCounts()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Dir("d").File("d/f", "1").Dir("e").Symlink("d", "e").File("d/g", "2")
            .Dir("d").File("d/h", "3").Build());

        Assert.True(StoreFixture.Stat($"{layer}/d").IsDirectory);
        Assert.Equal(["h"], Directory.GetFileSystemEntries($"{layer}/d").Select(Path.GetFileName));
        Assert.Equal("2", File.ReadAllText($"{layer}/e/g"));
    }

    [Fact]
    public void Unpack_DuplicateEntries_LastOneCounts()
    {
        string layer = _fixture.Unpack(new TarBuilder().File("f", "first", 0x1FF).File("f", "2", 0x180).Dir("x").Dir("x", 0x1C0).Build());

        Assert.Equal(("2", 0x180u, 0x1C0u), (File.ReadAllText($"{layer}/f"), StoreFixture.Stat($"{layer}/f").Permissions, StoreFixture.Stat($"{layer}/x").Permissions));
    }

    [Fact]
    public void Unpack_SymlinkAmongParents_IsFollowedInsideTheLayer()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Dir("usr/lib").Symlink("lib", "/usr/lib").File("lib/a", "1")
            .Symlink("usr/up", "../../../../usr/lib").File("usr/up/b", "2")
            .Symlink("later", "opt/not/there").File("later/c", "3").Build());

        Assert.Equal(("1", "2", "3"), (File.ReadAllText($"{layer}/usr/lib/a"), File.ReadAllText($"{layer}/usr/lib/b"), File.ReadAllText($"{layer}/opt/not/there/c")));
    }

    [Fact]
    public void Unpack_MissingParents_TakeAfterTheLayerBelow()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().Dir("tmp", 0x3FF, mtime: "99").Build());

        string upper = _fixture.Unpack(new TarBuilder().File("tmp/new/f", "x").Build(), lower);

        Assert.Equal((0x3FFu, 99L), (StoreFixture.Stat($"{upper}/tmp").Permissions, StoreFixture.Stat($"{upper}/tmp").ModifiedSeconds));
        Assert.Equal(0x1EDu, StoreFixture.Stat($"{upper}/tmp/new").Permissions);
    }

    [Fact]
    public void Unpack_Attributes_AreKeptButThoseOfOverlayfs()
    {
        byte[] tar = new TarBuilder().Entry("f", '0', pax: new()
        {
            ["SCHILY.xattr.user.note"] = "hello",
            ["SCHILY.xattr.trusted.overlay.redirect"] = "/etc",
            ["SCHILY.xattr.user.overlay.opaque"] = "y",
            ["SCHILY.xattr.trusted.overlay.metacopy"] = "",
            ["SCHILY.xattr.security.selinux"] = "system_u",
        }).Build();
        using StagedLayer staged = _fixture.Store.Applier.Stage(new MemoryStream(tar), null, null, null);
        string layer = _fixture.Store.Layers.DirectoryOf(staged.Commit([]));

        Assert.Equal("hello", Attribute($"{layer}/f", "user.note"));
        Assert.All(
            new[] { "trusted.overlay.redirect", "user.overlay.opaque", "trusted.overlay.metacopy", "security.selinux" },
            name => Assert.Null(Attribute($"{layer}/f", name)));
        Assert.Contains(staged.Notes, note => note.Contains("trusted.overlay.redirect", StringComparison.Ordinal));
    }

    [RootFact]
    public void Unpack_FileCapability_SurvivesOwnerAndMode()
    {
        // VFS_CAP_REVISION_2, cap_net_raw effective.
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        string layer = _fixture.Unpack(new TarBuilder().Entry(
            "ping", '0', "x"u8.ToArray(), uid: 5, mode: 0x1ED, pax: new() { ["SCHILY.xattr.security.capability"] = Encoding.Latin1.GetString(capability) }).Build());

        using SafeFileHandle file = Files.Open($"{layer}/ping", OpenFlags.ReadOnly);
        Assert.Equal(capability, Files.TryGetAttribute(file, "security.capability", out _));
    }

    [Fact]
    public void Unpack_NonUtf8Names_StayTwoFiles()
    {
        string layer = _fixture.Unpack(new TarBuilder()
            .Raw([(byte)'n', 0xfe], '0', "1"u8.ToArray(), []).Raw([(byte)'n', 0xff], '0', "2"u8.ToArray(), []).Build());

        using SafeFileHandle directory = Files.Open(layer, OpenFlags.ReadOnly | OpenFlags.Directory);
        Assert.Equal(2, DirectoryListing.Read(directory).Count);
    }

    [Fact]
    public void Unpack_NamesOf255BytesAndPathsOver4096_AreMade()
    {
        string name = new('n', 255);
        string path = string.Join('/', Enumerable.Repeat(name, 20));

        string layer = _fixture.Unpack(new TarBuilder().File(path, "deep").HardLink("link", path).Dir(path[..(256 * 18)] + "dir", 0x1C0).Build());

        Assert.Equal("deep", File.ReadAllText($"{layer}/link"));
        Assert.Equal(2u, StoreFixture.Stat($"{layer}/link").Links);
    }

    [Theory]
    [InlineData("0.1")]
    [InlineData("0.0")]
    [InlineData("1.0")]
    [InlineData("old")]
    public void Unpack_SparseFile_HasItsHoles(string version)
    {
        const long Size = 50 << 20;
        byte[] content = new byte[8192];
        content.AsSpan(0, 4096).Fill((byte)'a');
        content.AsSpan(4096).Fill((byte)'b');
        const long Second = 40 << 20;
        TarBuilder tar = new();
        switch (version)
        {
            case "0.1":
                tar.Entry("s", '0', content, pax: new() { ["GNU.sparse.map"] = $"0,4096,{Second},4096", ["GNU.sparse.size"] = $"{Size}", ["GNU.sparse.name"] = "sparse" });
                break;
            case "0.0":
                byte[] pax = [.. TarBuilder.PaxRecord("GNU.sparse.size", Ascii(Size)),
                    .. TarBuilder.PaxRecord("GNU.sparse.offset", "0"u8.ToArray()), .. TarBuilder.PaxRecord("GNU.sparse.numbytes", "4096"u8.ToArray()),
                    .. TarBuilder.PaxRecord("GNU.sparse.offset", Ascii(Second)), .. TarBuilder.PaxRecord("GNU.sparse.numbytes", "4096"u8.ToArray())];
                tar.Header("x"u8.ToArray(), 'x', [], 0, 0, 0, 0, 0, pax.Length).Body(pax).Entry("sparse", '0', content);
                break;
            case "1.0":
                byte[] map = new byte[512];
                Encoding.ASCII.GetBytes($"2\n0\n4096\n{Second}\n4096\n").CopyTo(map, 0);
                tar.Entry("GNUSparseFile.0/s", '0', [.. map, .. content], pax: new()
                {
                    ["GNU.sparse.major"] = "1",
                    ["GNU.sparse.minor"] = "0",
                    ["GNU.sparse.name"] = "sparse",
                    ["GNU.sparse.realsize"] = $"{Size}",
                });
                break;
            default:
                tar.Header("sparse"u8.ToArray(), 'S', [], 0x1A4, 0, 0, 0, 0, content.Length, header =>
                {
                    "ustar  \0"u8.CopyTo(header.AsSpan(257));
                    Octal(0).CopyTo(header, 386);
                    Octal(4096).CopyTo(header, 398);
                    Octal(Second).CopyTo(header, 410);
                    Octal(4096).CopyTo(header, 422);
                    Octal(Size).CopyTo(header, 483);
                }).Body(content);
                break;
        }

        string layer = _fixture.Unpack(tar.Build());

        FileMetadata file = StoreFixture.Stat($"{layer}/sparse");
        Assert.Equal((ulong)Size, file.Size);
        Assert.True(file.Blocks * 512 < 1 << 20, $"{file.Blocks} blocks: the holes were filled");
        using FileStream stream = File.OpenRead($"{layer}/sparse");
        stream.Position = Second;
        Assert.Equal('b', stream.ReadByte());
    }

    [Fact]
    public void Unpack_OwnerOfAnother_IsSetByRootAndLeftByOthers()
    {
        string layer = _fixture.Unpack(new TarBuilder().File("f", uid: 12345).Build());

        uint mine = StoreFixture.Stat(_fixture.Root).UserId;
        Assert.Equal(Environment.IsPrivilegedProcess ? 12345 : mine, StoreFixture.Stat($"{layer}/f").UserId);
    }

    [RootFact]
    public void Unpack_DiskFull_SaysSoAndLeavesNothing()
    {
        using FileSystemContext context = new("tmpfs");
        context.Set("size", "2m");
        using SafeFileHandle disk = context.Mount(MountAttributes.None);
        ImageStore store = ImageStore.Open($"/proc/self/fd/{disk.DangerousGetHandle()}/data", new ImageStoreOptions { Sync = false });
        byte[] tar = new TarBuilder().File("a", "x").Entry("big", '0', new byte[4 << 20]).Build();

        ImageException error = Assert.Throws<ImageException>(() => store.Applier.Stage(new MemoryStream(tar), null, null, null));

        Assert.Equal(ImageError.Host, error.Kind);
        Assert.Contains("no space left on device", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories($"/proc/self/fd/{disk.DangerousGetHandle()}/data/layers"));
    }

    private static byte[] Ascii(long value) => Encoding.ASCII.GetBytes($"{value}");

    private static byte[] Octal(long value) => Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(11, '0'));

    private static string? Attribute(string path, string name)
    {
        using SafeFileHandle file = Files.Open(path, OpenFlags.ReadOnly);
        byte[]? value = Files.TryGetAttribute(file, name, out _);
        return value is null ? null : Encoding.UTF8.GetString(value);
    }
}
