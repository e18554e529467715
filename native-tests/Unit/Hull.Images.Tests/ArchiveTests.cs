using System.Text;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests;

/// <summary>Archives in and out. Agreement with other tools is tested by the kernel tests.</summary>
public sealed class ArchiveTests : IDisposable
{
    private static readonly byte[] Base = new TarBuilder().Dir("bin").Entry("bin/sh", '0', Encoding.UTF8.GetBytes(new string('s', 300_000))).Build();
    private static readonly byte[] Top = new TarBuilder().File("top", "top").Build();
    private readonly StoreFixture _fixture = new();
    private readonly StoreFixture _other = new();

    public void Dispose()
    {
        _fixture.Dispose();
        _other.Dispose();
    }

    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Ways))]
    public void SaveAndLoad_KeepsIdsDigestsAndNames(bool stream, bool gzip)
    {
        Image first = _fixture.AddImage("app:1", Base, Top);
        Image second = _fixture.AddImage("other", Base);
        _fixture.Store.Tag(first, ImageReference.Parse("localhost:5000/app:x"));
        byte[] archive = Save("app:1", "localhost:5000/app:x", "other");

        LoadResult result = Load(archive, stream, gzip);

        Assert.Equal(3, result.Images.Count);
        Image loaded = _other.Store.Find("app:1").Required();
        Assert.Equal((first.Id, first.ManifestDigest), (loaded.Id, loaded.ManifestDigest));
        Assert.Equal(["app:1", "localhost:5000/app:x"], loaded.RepoTags);
        Assert.Equal(second.Id, _other.Store.Find("other").Required().Id);
        Assert.Equal("top", File.ReadAllText($"{_other.Store.Layers.DirectoryOf(loaded.ChainIds[1])}/top"));
        Assert.Equal(archive, SaveFrom(_other.Store, "app:1", "localhost:5000/app:x", "other"));
        _other.AssertNothingStaged();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Load_DockerArchive_OldStyleWithLinkedLayers(bool stream, bool gzip)
    {
        byte[] config = Config(Base, Top, Top);
        byte[] archive = new TarBuilder()
            .Dir("aaa").Entry("aaa/layer.tar", '0', Base).File("aaa/VERSION", "1.0")
            .Entry("bbb/layer.tar", '0', Top).Symlink("ccc/layer.tar", "../bbb/layer.tar")
            .Entry("cfg.json", '0', config)
            .File("manifest.json", """[{"Config":"cfg.json","RepoTags":["old:tag"],"Layers":["aaa/layer.tar","bbb/layer.tar","ccc/layer.tar"]}]""")
            .Build();

        LoadResult result = Load(archive, stream, gzip);

        Image image = Assert.Single(result.Images).Image;
        Assert.Equal(Digest.Of(config), image.Id);
        Assert.Equal(image.Id, _other.Store.Find("old:tag").Required().Id);
        // The tars are kept as they are.
        Assert.Equal([Digest.Of(Base), Digest.Of(Top), Digest.Of(Top)], image.Layers.Select(layer => layer.Blob.Digest));
        Assert.All(image.Layers, layer => Assert.Equal(MediaTypes.OciLayer, layer.Blob.MediaType));
        _other.AssertNothingStaged();
    }

    [Fact]
    public void Load_DockerArchiveWithGzipLayers_KeepsTheCompressedBlobs()
    {
        byte[] blob = StoreFixture.Gzip(Base);
        byte[] archive = new TarBuilder().Entry("l", '0', blob).Entry("c", '0', Config(Base))
            .File("manifest.json", """[{"Config":"c","RepoTags":null,"Layers":["l"]}]""").Build();

        LoadResult result = Load(archive, false, false);

        Assert.Equal(Digest.Of(blob), Assert.Single(Assert.Single(result.Images).Image.Layers).Blob.Digest);
    }

    [Fact]
    public void Load_File_TellsOfEachLayer()
    {
        Image image = _fixture.AddImage("app", Base, Top);
        string path = $"{_other.Root}/app.tar";
        File.WriteAllBytes(path, Save("app"));
        List<LayerProgress> progress = [];

        _other.Store.Load(path, null, new ProgressList(progress));

        Assert.Equal(image.Layers.Select(layer => layer.DiffId.Short).Order(), progress.Select(one => one.Layer).Distinct().Order());
        Assert.All(progress, one => Assert.Equal(TransferPhase.Loading, one.Phase));
        Assert.All(progress.GroupBy(one => one.Layer), layer => Assert.Equal(layer.Last().Total, layer.Last().Current));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_CompressedArchive_TellsHowMuchOfItIsRead(bool isFile)
    {
        _fixture.AddImage("app", Base, Top);
        byte[] archive = StoreFixture.Gzip(Save("app"));
        string path = $"{_other.Root}/app.tar.gz";
        File.WriteAllBytes(path, archive);
        List<LayerProgress> progress = [];

        _ = isFile
            ? _other.Store.Load(path, null, new ProgressList(progress))
            : _other.Store.Load(new MemoryStream(archive), null, new ProgressList(progress));

        List<LayerProgress> reading = [.. progress.TakeWhile(one => one.Phase == TransferPhase.Reading)];
        Assert.Equal((archive.Length, isFile ? archive.Length : 0), (reading[^1].Current, reading[^1].Total));
        Assert.All(progress.Skip(reading.Count), one => Assert.Equal((TransferPhase.Loading, one.Total), (one.Phase, one.Current)));
        Assert.NotEqual(reading.Count, progress.Count);
    }

    [Fact]
    public void Load_LayoutDirectory_IsTheImage()
    {
        Image image = _fixture.AddImage("app", Base, Top);

        LoadResult result = _other.Store.Load($"{_fixture.Root}/data/images");

        Assert.Equal(image.Id, Assert.Single(result.Images).Image.Id);
        Assert.Equal(image.ManifestDigest, _other.Store.Find("app").Required().ManifestDigest);
    }

    [Fact]
    public void SaveAndLoad_AnnotationsAndUnknownFields_AreKeptByteForByte()
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = StoreFixture.Documents(new TarBuilder().File("a", "b").Build());
        byte[] odd = [.. Encoding.UTF8.GetBytes("""{ "annotations" : {"a.b":"c"}, "x-unknown":[1, {"y":null}],  """), .. manifest[1..]];
        using (ImageIngest ingest = _fixture.Store.BeginIngest(odd, null, config))
        {
            ingest.Apply(0, new MemoryStream(blobs[0]));
            ingest.Commit([ImageReference.Parse("odd:1")]);
        }

        using MemoryStream archive = new();
        _fixture.Store.Save(["odd:1"], archive);
        Image loaded = Assert.Single(_other.Store.Load(new MemoryStream(archive.ToArray())).Images).Image;

        Assert.Equal(Digest.Of(odd), loaded.ManifestDigest);
        Assert.Equal(odd, _other.Store.Blobs.ReadAll(loaded.ManifestDigest, 1 << 20));
    }

    [Fact]
    public void Load_NameOfAnotherImage_LeavesThatOneWithoutAName()
    {
        Image first = _other.AddImage("same:1", new TarBuilder().File("a").Build());
        Image second = _fixture.AddImage("same:1", new TarBuilder().File("b").Build());
        using MemoryStream archive = new();
        _fixture.Store.Save(["same:1"], archive);

        _other.Store.Load(new MemoryStream(archive.ToArray()));

        Assert.Equal(second.Id, _other.Store.Find("same:1").Required().Id);
        Assert.Empty(_other.Store.Find(first.Id.Hex).Required().RepoTags);
    }

    [Fact]
    public void Load_Twice_IsHarmless()
    {
        _fixture.AddImage("app", Base, Top);
        byte[] archive = Save("app");

        Load(archive, false, false);
        Load(archive, true, true);

        Assert.Single(_other.Store.List());
        _other.AssertNothingStaged();
    }

    [Fact]
    public void Save_ById_HasNoName_AndByRepository_AllTags()
    {
        Image image = _fixture.AddImage("app:1", Base);
        _fixture.Store.Tag(image, ImageReference.Parse("app:2"));

        Load(Save(image.Id.Short), false, false);
        Assert.Empty(Assert.Single(_other.Store.List()).RepoTags);
        Load(Save("app"), false, false);
        Assert.Equal(["app:1", "app:2"], Assert.Single(_other.Store.List()).RepoTags);
    }

    [Fact]
    public void Save_UnknownImage_WritesNothing()
    {
        _fixture.AddImage("app", Base);
        using MemoryStream output = new();

        Assert.Equal("No such image: nope:latest", Assert.Throws<ImageException>(() => _fixture.Store.Save(["app", "nope"], output)).Message);
        Assert.Equal(0, output.Length);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Load_Truncated_SaysSoAndLeavesNothing(bool stream, bool gzip)
    {
        _fixture.AddImage("app", new TarBuilder().Entry("r", '0', Random(400_000)).Build());
        byte[] archive = Save("app");

        ImageException error = Assert.Throws<ImageException>(() => Load(archive[..(archive.Length / 2)], stream, gzip));

        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
        Assert.Empty(_other.Store.List());
        _other.AssertNothingStaged();
    }

    [Fact]
    public void Load_Empty_SaysSo()
    {
        Assert.Contains("empty", Assert.Throws<ImageException>(() => Load([], false, false)).Message, StringComparison.Ordinal);
        Assert.Contains("empty", Assert.Throws<ImageException>(() => Load([], true, false)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_SomethingElse_SaysSo(bool stream)
    {
        Assert.Contains("not a tar archive", Assert.Throws<ImageException>(() => Load(Random(5000), stream, false)).Message, StringComparison.Ordinal);
        Assert.Contains("not an image archive", Assert.Throws<ImageException>(() => Load(Base, stream, false)).Message, StringComparison.Ordinal);
        Assert.Contains("not a tar archive", Assert.Throws<ImageException>(() => Load(Encoding.UTF8.GetBytes("only text"), stream, false)).Message, StringComparison.Ordinal);
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("root:x:0:0:root:/root:/bin/bash\n", 100)));
        Assert.Contains("not a tar archive", Assert.Throws<ImageException>(() => Load(text, stream, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BrokenFile_IsNamed()
    {
        string path = $"{_other.Root}/archive";

        Assert.StartsWith($"{path}: ", Assert.Throws<ImageException>(() => Load(Random(5000), false, false)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}: manifest.json: ", Assert.Throws<ImageException>(
            () => Load(new TarBuilder().File("manifest.json", "[").Build(), false, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingFile_SaysWhich() =>
        Assert.Equal(
            "open /nonexistent/x.tar: ENOENT (No such file or directory)",
            Assert.Throws<Linux.SyscallException>(() => _other.Store.Load("/nonexistent/x.tar")).Message);

    [Fact]
    public void Load_LayerOfAnotherImage_IsAMismatch()
    {
        byte[] archive = Docker(Config(Base), ("l", Top));

        Assert.Contains("mismatch", Assert.Throws<ImageException>(() => Load(archive, false, false)).Message, StringComparison.Ordinal);
        Assert.Empty(_other.Store.List());
        _other.AssertNothingStaged();
    }

    [Theory]
    [InlineData("../../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("sha256:../../x")]
    [InlineData("missing")]
    public void CVE_2014_9358_PathInManifest_IsOnlyLookedUpInTheArchive(string path)
    {
        string json = $$"""[{"Config":"{{path}}","RepoTags":[],"Layers":["{{path}}"]}]""";

        Assert.Contains("the archive has no", Assert.Throws<ImageException>(
            () => Load(new TarBuilder().File("manifest.json", json).Build(), false, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2014_9358_LayoutDirectoryWithLinkedBlob_IsNotFollowed()
    {
        _fixture.AddImage("app", Base);
        string layout = $"{_fixture.Root}/data/images";
        string blob = Directory.GetFiles($"{layout}/blobs/sha256").First(file => new FileInfo(file).Length < 1000);
        File.Move(blob, $"{_fixture.Root}/outside");
        File.CreateSymbolicLink(blob, $"{_fixture.Root}/outside");

        Assert.Equal(ImageError.Corrupt, Assert.Throws<ImageException>(() => _other.Store.Load(layout)).Kind);
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("""[{"Config":"c","Layers":[null]}]""")]
    [InlineData("""[{"Config":null,"Layers":null}]""")]
    [InlineData("{}")]
    [InlineData("[")]
    public void CVE_2021_21285_MalformedManifest_IsAnError(string json)
    {
        ImageException error = Assert.Throws<ImageException>(() => Load(new TarBuilder().File("manifest.json", json).Build(), false, false));

        Assert.Contains("manifest.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2020_10696_LinksOfTheArchive_LeadNowhereElse()
    {
        string canary = $"{_other.Root}/canary.json";
        File.WriteAllText(canary, "[]");

        foreach (string target in new[] { canary, $"../../../../../..{canary}" })
        {
            Assert.Contains("not an image archive", Assert.Throws<ImageException>(
                () => Load(new TarBuilder().Symlink("manifest.json", target).HardLink("index.json", target).Build(), false, false)).Message, StringComparison.Ordinal);
            string json = """[{"Config":"c.json","RepoTags":[],"Layers":["l"]}]""";
            Assert.Contains("the archive has no 'c.json'", Assert.Throws<ImageException>(
                () => Load(new TarBuilder().File("manifest.json", json).Symlink("c.json", target).HardLink("l", target).Build(), true, true)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("index.json")]
    public void CVE_2017_11468_HugeDocument_IsRefusedUnread(string name)
    {
        byte[] archive = new TarBuilder().File("oci-layout", "{}").Entry(name, '0', new byte[ImageDocuments.MaxSize + 1]).Build();

        Assert.Contains("limit", Assert.Throws<ImageException>(() => Load(archive, false, false)).Message, StringComparison.Ordinal);
        Assert.Contains("limit", Assert.Throws<ImageException>(() => Load(archive, true, true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2023_25153_DeepJson_IsRefused()
    {
        string json = string.Concat(Enumerable.Repeat("[", 100_000));

        Assert.Throws<ImageException>(() => Load(new TarBuilder().File("manifest.json", json).Build(), false, false));
    }

    [Fact]
    public void CVE_2023_25153_ArchiveBomb_IsRefused()
    {
        using StoreFixture fixture = new(new ImageStoreOptions { Sync = false, ExpansionFloorBytes = 16 << 20 });
        byte[] bomb = StoreFixture.Gzip(new TarBuilder().Entry("zeros", '0', new byte[64 << 20]).Build());

        Assert.Contains("bomb", Assert.Throws<ImageException>(() => fixture.Store.Load(new MemoryStream(bomb))).Message, StringComparison.Ordinal);
        fixture.AssertNothingStaged();
    }

    [Fact]
    public void CVE_2024_3727_DigestInIndex_IsValidatedFirst()
    {
        byte[] archive = new TarBuilder().File("oci-layout", "{}")
            .File("index.json", """{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../etc/passwd","size":3}]}""").Build();

        Assert.Contains("digest", Assert.Throws<ImageException>(() => Load(archive, false, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2021_41190_IndexThatIsAlsoAManifest_IsRefused()
    {
        byte[] archive = new TarBuilder().File("oci-layout", "{}").File("index.json", """{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}""").Build();

        Assert.Contains("both", Assert.Throws<ImageException>(() => Load(archive, false, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2014_6408_UnknownKeysOfTheConfig_HaveNoEffect()
    {
        byte[] config = Encoding.UTF8.GetBytes(
            $$$"""{"architecture":"amd64","os":"linux","Privileged":true,"config":{"SecurityOpt":["unconfined"],"Devices":["/dev/sda"],"User":"1"},"rootfs":{"type":"layers","diff_ids":["{{{Digest.Of(Base)}}}"]}}""");

        Image image = Assert.Single(Load(Docker(config, ("l", Base)), false, false).Images).Image;

        Assert.Equal("1", image.Config.Defaults!.User);
        Assert.Equal(config, _other.Store.Blobs.ReadAll(image.Id, 10000));
    }

    private static byte[] Docker(byte[] config, params (string Name, byte[] Tar)[] layers)
    {
        TarBuilder tar = new TarBuilder().Entry("c.json", '0', config);
        foreach ((string name, byte[] layer) in layers)
        {
            tar.Entry(name, '0', layer);
        }

        return tar.File("manifest.json", $$"""[{"Config":"c.json","RepoTags":["d:1"],"Layers":[{{string.Join(',', layers.Select(layer => $"\"{layer.Name}\""))}}]}]""").Build();
    }

    private static byte[] Config(params byte[][] tars) => StoreFixture.Documents(tars).Config;

    private static byte[] Random(int length)
    {
        byte[] bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private byte[] Save(params string[] names) => SaveFrom(_fixture.Store, names);

    private static byte[] SaveFrom(ImageStore store, params string[] names)
    {
        using MemoryStream output = new();
        store.Save(names, output);
        return output.ToArray();
    }

    private LoadResult Load(byte[] archive, bool stream, bool gzip)
    {
        byte[] content = gzip ? StoreFixture.Gzip(archive) : archive;
        if (stream)
        {
            return _other.Store.Load(new MemoryStream(content));
        }

        string path = $"{_other.Root}/archive";
        File.WriteAllBytes(path, content);
        return _other.Store.Load(path);
    }

    /// <summary>Keeps all that it is told.</summary>
    private sealed class ProgressList(List<LayerProgress> all) : ITransferProgress
    {
        public void Message(string line)
        {
        }

        public void Layer(LayerProgress progress) => all.Add(progress);
    }
}
