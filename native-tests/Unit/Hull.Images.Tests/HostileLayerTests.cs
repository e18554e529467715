using System.Text;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Images.Tests;

/// <summary>Layers that attack the host. Each runs beside a canary that must not change.</summary>
public sealed class HostileLayerTests : IDisposable
{
    private readonly StoreFixture _fixture = new();
    private readonly string _canary;

    public HostileLayerTests()
    {
        _canary = $"{_fixture.Root}/canary";
        Directory.CreateDirectory(_canary);
        File.WriteAllText($"{_canary}/file", "canary");
        Files.ChangeMode(Files.Open($"{_canary}/file", OpenFlags.ReadOnly), 0x180);
    }

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("../x")]
    [InlineData("../../../../../../../../tmp/x")]
    [InlineData("a/../../x")]
    [InlineData("..")]
    [InlineData("/../x")]
    public void CVE_2014_6407_DotDotInName_IsRefused(string name) =>
        Assert.Contains("path traversal", Hostile(new TarBuilder().File(name, "x")), StringComparison.Ordinal);

    [Fact]
    public void CVE_2014_6407_AbsoluteName_StaysInTheLayer()
    {
        string layer = Unpack(new TarBuilder().File($"{_canary}/file", "owned").File("//abs//f", "x"));

        Assert.Equal("owned", File.ReadAllText($"{layer}{_canary}/file"));
        Assert.Equal("x", File.ReadAllText($"{layer}/abs/f"));
    }

    [Fact]
    public void CVE_2014_9356_ChildOfSymlinkToHost_StaysInTheLayer()
    {
        string layer = Unpack(new TarBuilder().Symlink("link", _canary).File("link/file", "owned").Symlink("up", "../../../../../..").File($"up{_canary}/new", "x"));

        Assert.Equal("owned", File.ReadAllText($"{layer}{_canary}/file"));
        Assert.True(File.Exists($"{layer}{_canary}/new"));
    }

    [Fact]
    public void CVE_2014_9356_FileOverSymlinkToHost_ReplacesTheLink()
    {
        string layer = Unpack(new TarBuilder().Symlink("f", $"{_canary}/file").File("f", "owned"));

        Assert.True(StoreFixture.Stat($"{layer}/f").IsRegular);
    }

    [Theory]
    [InlineData("../canary/file")]
    [InlineData("../../../../../../../../etc/passwd")]
    public void CVE_2014_9356_HardLinkTargetWithDotDot_IsRefused(string target) =>
        Assert.Contains("path traversal", Hostile(new TarBuilder().HardLink("l", target)), StringComparison.Ordinal);

    [Fact]
    public void CVE_2014_9356_HardLinkToHostPath_FindsNothing()
    {
        Assert.Contains("neither this layer", Hostile(new TarBuilder().HardLink("l", $"{_canary}/file")), StringComparison.Ordinal);
        Assert.Equal(1u, StoreFixture.Stat($"{_canary}/file").Links);
    }

    [Fact]
    public void CVE_2014_9356_HardLinkThroughSymlinkToHost_FindsNothing()
    {
        Assert.Contains("neither this layer", Hostile(new TarBuilder().Symlink("d", _canary).HardLink("l", "d/file")), StringComparison.Ordinal);
        Assert.Equal(1u, StoreFixture.Stat($"{_canary}/file").Links);
    }

    [Fact]
    public void CVE_2014_9356_HardLinkToSymlink_ThenWriteThroughIt_ReplacesTheLink()
    {
        string layer = Unpack(new TarBuilder().Symlink("s", $"{_canary}/file").HardLink("l", "s").File("l", "owned", 0x1FF));

        Assert.True(StoreFixture.Stat($"{layer}/l").IsRegular);
    }

    [Fact]
    public void CVE_2014_9356_SymlinkInLowerLayer_WriteThroughInUpper_StaysInTheLayer()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().Symlink("link", _canary).Build());

        string upper = _fixture.Unpack(new TarBuilder().File("link/file", "owned").Build(), lower);

        Assert.Equal("owned", File.ReadAllText($"{upper}/link/file"));
        AssertCanary();
    }

    [Fact]
    public void CVE_2014_9356_HardLinkThroughSymlinkOfLowerLayer_FindsNothing()
    {
        Digest lower = _fixture.UnpackLayer(new TarBuilder().Symlink("link", _canary).Build());

        Assert.Throws<ImageException>(() => _fixture.UnpackLayer(new TarBuilder().HardLink("l", "link/file").Build(), lower));
        AssertCanary();
    }

    [Theory]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    [InlineData(".wh.")]
    [InlineData("a/.wh...")]
    public void CVE_2014_6407_WhiteoutOfDots_IsRefused(string name) =>
        Assert.Contains("whiteout", Hostile(new TarBuilder().Dir("a").Whiteout(name)), StringComparison.Ordinal);

    [Fact]
    public void CVE_2014_6407_WhiteoutThroughSymlinkToHost_StaysInTheLayer() =>
        Unpack(new TarBuilder().Symlink("d", _canary).Whiteout("d/.wh.file"));

    [Fact]
    public void CVE_2014_6407_OpaqueMarkerOnSymlinkToHost_StaysInTheLayer() =>
        Unpack(new TarBuilder().Symlink("d", _canary).Whiteout("d/.wh..wh..opq"));

    [Theory]
    [InlineData(".")]
    [InlineData("./")]
    [InlineData("/")]
    [InlineData("./.")]
    [InlineData("")]
    public void CVE_2021_29136_RootEntryThatIsNoDirectory_IsRefused(string name)
    {
        Assert.Contains("root", Hostile(new TarBuilder().Symlink(name, _canary)), StringComparison.Ordinal);
        Assert.Contains("root", Hostile(new TarBuilder().File(name, "x")), StringComparison.Ordinal);
        Assert.Contains("root", Hostile(new TarBuilder().Entry(name, '3', major: 1, minor: 3)), StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2021_32760_SymlinkWithModeOwnerAttributesAndTime_LeavesItsTargetAlone()
    {
        FileMetadata before = StoreFixture.Stat($"{_canary}/file");

        Unpack(new TarBuilder().Entry("s", '2', link: Encoding.UTF8.GetBytes($"{_canary}/file"), mode: 0x9FF, uid: 12, gid: 34, pax: new()
        {
            ["SCHILY.xattr.user.evil"] = "x",
            ["mtime"] = "5",
        }));

        Assert.Equal(before, StoreFixture.Stat($"{_canary}/file"));
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = Files.Open($"{_canary}/file", OpenFlags.ReadOnly);
        Assert.DoesNotContain(Files.ListAttributes(file), name => name.StartsWith("user.", StringComparison.Ordinal));
    }

    [Fact]
    public void CVE_2021_32760_DirectoryEntryOverSymlinkToHost_LeavesItsTargetAlone()
    {
        FileMetadata before = StoreFixture.Stat(_canary);

        Unpack(new TarBuilder().Symlink("d", _canary).Dir("d", 0x1FF, uid: 12, mtime: "5"));

        Assert.Equal(before, StoreFixture.Stat(_canary));
    }

    [Fact]
    public void CVE_2021_32760_DirectoryThenSymlinkOfOneName_MetadataDoesNotFollow()
    {
        FileMetadata before = StoreFixture.Stat(_canary);

        Unpack(new TarBuilder().Dir("d", 0x1FF, mtime: "5").Symlink("d", _canary));

        Assert.Equal(before, StoreFixture.Stat(_canary));
    }

    [Fact]
    public async Task CVE_2025_47290_ConcurrentCraftedLayers_StayInTheirOwn()
    {
        // Every layer's links point into the others' staging names and at the canary.
        byte[][] tars = [.. Enumerable.Range(0, 8).Select(i =>
        {
            TarBuilder tar = new();
            for (int n = 0; n < 200; n++)
            {
                tar.Symlink("d", n % 2 == 0 ? _canary : $"../../new-{i}").File("d/file", $"owned {i}").Dir("d").File("d/file", "inside");
            }

            return tar.File("id", $"{i}").Build();
        })];

        await Task.WhenAll(tars.Select(tar => Task.Run(() => _fixture.UnpackLayer(tar))));

        AssertCanary();
    }

    [Fact]
    public void CVE_2017_14992_GzipBomb_IsRefusedBeforeTheDiskIsFull()
    {
        using StoreFixture fixture = new(new ImageStoreOptions { Sync = false, ExpansionFloorBytes = 16 << 20 });
        byte[] bomb = StoreFixture.Gzip(new TarBuilder().Entry("zeros", '0', new byte[64 << 20]).Build());

        string error = fixture.UnpackError(bomb);

        Assert.Contains("decompression bomb", error, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2017_11468_LayerBeyondTheLimit_IsRefused()
    {
        using StoreFixture fixture = new(new ImageStoreOptions { Sync = false, MaxLayerBytes = 8 << 20 });

        Assert.Contains("limit", fixture.UnpackError(new TarBuilder().Entry("f", '0', new byte[9 << 20]).Build()), StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2023_25153_TooManyEntries_AreRefused()
    {
        using StoreFixture fixture = new(new ImageStoreOptions { Sync = false, MaxLayerEntries = 100 });
        TarBuilder tar = new();
        for (int i = 0; i < 101; i++)
        {
            tar.File($"f{i}");
        }

        Assert.Contains("entries", fixture.UnpackError(tar.Build()), StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2023_25153_SymlinkLoop_IsRefused() =>
        Assert.Contains("too many symbolic links", Hostile(new TarBuilder().Symlink("a", "b").Symlink("b", "a").File("a/f")), StringComparison.Ordinal);

    [Fact]
    public void CVE_2023_25153_DepthBeyondTheLimit_IsRefused() =>
        Assert.Contains("deep", Hostile(new TarBuilder().File(string.Join('/', Enumerable.Repeat("d", 2000)))), StringComparison.Ordinal);

    [Fact]
    public void CVE_2021_20291_LayerThatFailsEarly_DoesNotBlockTheNext()
    {
        // Much more than the pipe holds, after an error in the first entry.
        byte[] tar = [.. new TarBuilder().File("../x").BuildOpen(), .. new byte[8 << 20]];

        Hostile(tar);
        Hostile(StoreFixture.Gzip(tar));
        Unpack(new TarBuilder().File("fine", "x"));
    }

    [Fact]
    public void CVE_2021_20291_TarThatEndsBeforeTheStream_IsDrainedAndKept()
    {
        byte[] blob = [.. StoreFixture.Gzip(new TarBuilder().File("f", "x").Build()), .. new byte[3 << 20]];
        using BlobWriter keep = _fixture.Store.Blobs.Begin();

        using StagedLayer staged = _fixture.Store.Applier.Stage(new MemoryStream(blob), Digest.Of(blob), null, keep);
        staged.Commit([]);

        Assert.Equal(blob.Length, _fixture.Store.Blobs.TrySize(Digest.Of(blob)));
    }

    [Fact]
    public void CVE_2021_41091_StoreDirectories_AreClosedToOthers()
    {
        Unpack(new TarBuilder().File("suid", "x", 0x9ED));

        Assert.All(
            new[] { "data/layers", "data/images/records", "data/images/blobs/sha256" },
            path => Assert.Equal(0u, StoreFixture.Stat($"{_fixture.Root}/{path}").Permissions & 0x3F));
    }

    [Fact]
    public void Unpack_ParentThatIsAFile_IsRefused() =>
        Assert.Contains("not a directory", Hostile(new TarBuilder().File("f").File("f/child")), StringComparison.Ordinal);

    [Fact]
    public void Unpack_HardLinkToDirectory_IsRefused() =>
        Assert.Contains("directory", Hostile(new TarBuilder().Dir("d").HardLink("l", "d")), StringComparison.Ordinal);

    [Fact]
    public void Unpack_UnknownType_IsRefused() =>
        Assert.Contains("unknown type", Hostile(new TarBuilder().Entry("f", 'Q')), StringComparison.Ordinal);

    [Fact]
    public void Unpack_Truncated_SaysSo()
    {
        byte[] tar = new TarBuilder().Entry("f", '0', new byte[10000]).Build();

        Assert.Contains("truncated", _fixture.UnpackError(tar[..5000]), StringComparison.Ordinal);
        Assert.Contains("truncated", _fixture.UnpackError(new TarBuilder().Header("huge"u8.ToArray(), '0', [], 0, 0, 0, 0, 0, 9L << 30).BuildOpen()), StringComparison.Ordinal);
    }

    [Fact]
    public void Unpack_CorruptGzip_SaysSo()
    {
        Random random = new(1);
        byte[] content = new byte[100_000];
        random.NextBytes(content);
        byte[] blob = StoreFixture.Gzip(new TarBuilder().Entry("f", '0', content).Build());
        blob.AsSpan(blob.Length / 2, 100).Fill(0x55);

        Assert.Equal(ImageError.Corrupt, Assert.Throws<ImageException>(() => _fixture.UnpackLayer(blob)).Kind);
        _fixture.AssertNothingStaged();
    }

    [Fact]
    public void Stage_WrongDigest_LeavesNothing()
    {
        byte[] tar = new TarBuilder().File("f", "x").Build();
        byte[] blob = StoreFixture.Gzip(tar);
        Digest wrong = Digest.Of("other"u8);

        Assert.Contains("digest mismatch", Assert.Throws<ImageException>(
            () => _fixture.Store.Applier.Stage(new MemoryStream(blob), wrong, Digest.Of(tar), _fixture.Store.Blobs.Begin())).Message, StringComparison.Ordinal);
        Assert.Contains("diffID mismatch", Assert.Throws<ImageException>(
            () => _fixture.Store.Applier.Stage(new MemoryStream(blob), Digest.Of(blob), wrong, _fixture.Store.Blobs.Begin())).Message, StringComparison.Ordinal);
        _fixture.AssertNothingStaged();
        Assert.False(_fixture.Store.Blobs.Contains(Digest.Of(blob)));
    }

    private string Unpack(TarBuilder tar)
    {
        string layer = _fixture.Unpack(tar.Build());
        AssertCanary();
        return layer;
    }

    private string Hostile(TarBuilder tar) => Hostile(tar.Build());

    private string Hostile(byte[] tar)
    {
        string error = _fixture.UnpackError(tar);
        AssertCanary();
        return error;
    }

    private void AssertCanary()
    {
        Assert.Equal(["file"], Directory.GetFileSystemEntries(_canary).Select(Path.GetFileName));
        Assert.Equal("canary", File.ReadAllText($"{_canary}/file"));
        Assert.Equal(0x180u, StoreFixture.Stat($"{_canary}/file").Permissions);
    }
}
