using System.Text.Json;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests;

public sealed class ImageStoreTests : IDisposable
{
    private static readonly byte[] Base = new TarBuilder().Dir("bin").File("bin/sh", "shell").Build();
    private static readonly byte[] Top = new TarBuilder().File("top", "top").Build();
    private readonly StoreFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    private ImageStore Store => _fixture.Store;

    [Fact]
    public void Find_EmptyStore_SaysNoSuchImage()
    {
        ImageMatch match = Store.Find("busybox");

        Assert.Equal((ImageError.NotFound, "No such image: busybox:latest"), (match.Error, match.Problem));
        Assert.False(Directory.Exists($"{_fixture.Root}/data"));
    }

    [Fact]
    public void Find_ByNameIdAndPrefix_IsTheImage()
    {
        Image image = _fixture.AddImage("busybox", Base);

        foreach (string typed in new[] { "busybox", "busybox:latest", "docker.io/library/busybox", image.Id.ToString(), image.Id.Hex, image.Id.Short, $"sha256:{image.Id.Short}" })
        {
            Assert.Equal(image.Id, Store.Find(typed).Required().Id);
        }

        Image found = Store.Find("busybox").Required();
        Assert.Equal(["sh"], found.Config.Defaults!.Cmd!);
        Assert.Equal("shell", File.ReadAllText($"{Store.Layers.DirectoryOf(Assert.Single(found.ChainIds))}/bin/sh"));
        Assert.Equal(5, found.Size);
        Assert.Equal(["busybox:latest"], found.RepoTags);
    }

    [Theory]
    [InlineData("Busybox")]
    [InlineData("../../etc/passwd")]
    [InlineData("a//b")]
    [InlineData("")]
    [InlineData("x@sha256:../../y")]
    public void CVE_2024_3727_InvalidReference_IsRefusedBeforeAnyPathIsMade(string typed) =>
        Assert.Equal(ImageError.Invalid, Store.Find(typed).Error);

    [Fact]
    public void Find_AmbiguousPrefix_SaysSo()
    {
        for (int i = 0; i < 20; i++)
        {
            _fixture.AddImage(null, new TarBuilder().File("f", $"{i}").Build());
        }

        string prefix = Store.List().GroupBy(image => image.Id.Hex[..1]).First(group => group.Count() > 1).Key;

        Assert.Contains("ambiguous", Store.Find(prefix).Problem!, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_WrittenAndReadByHand_IsTheSame()
    {
        Digest digest = Digest.Of("x"u8);
        ImageRecord record = new()
        {
            Id = digest,
            Manifest = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = digest, Size = 1 },
            ConfigSize = 2,
            Layers = [new ImageLayer { Blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = digest, Size = 1L << 40 }, DiffId = digest, ChainId = digest, UnpackedSize = 3 }],
            Config = new ImageConfig
            {
                Created = DateTimeOffset.UnixEpoch.AddTicks(1234567),
                Author = "a \"quoted\" \u00e9",
                Architecture = "arm64",
                Variant = "v8",
                Os = "linux",
                OsVersion = "1",
                Comment = "c",
                Defaults = new ImageDefaults
                {
                    User = "u",
                    ExposedPorts = new Dictionary<string, EmptyObject> { ["80/tcp"] = new() },
                    Env = ["A=1", "B="],
                    Entrypoint = ["e"],
                    Cmd = [],
                    Volumes = new Dictionary<string, EmptyObject> { ["/v"] = new() },
                    WorkingDirectory = "/w",
                    Labels = new Dictionary<string, string> { ["k"] = "v" },
                    StopSignal = "SIGINT",
                    StopTimeout = 5,
                    Healthcheck = new ImageHealthcheck { Test = ["CMD", "x"], Interval = 1L << 40, Timeout = 2, StartPeriod = 3, StartInterval = 4, Retries = 5 },
                    Shell = ["s"],
                    OnBuild = ["o"],
                },
            },
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, StoreJson.Default.ImageRecord);

        ImageRecord read = ImageRecordReader.Parse(json, "record");

        Assert.Equal(json, JsonSerializer.SerializeToUtf8Bytes(read, StoreJson.Default.ImageRecord));
        // Every member but the two that records leave out was given a value, so none can be forgotten.
        Assert.All(typeof(ImageDefaults).GetProperties(), property => Assert.NotNull(property.GetValue(read.Config.Defaults)));
        Assert.All(
            typeof(ImageConfig).GetProperties().Where(property => property.Name is not ("History" or "Rootfs")),
            property => Assert.NotNull(property.GetValue(read.Config)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"id\":\"sha256:zz\"}")]
    [InlineData("{\"id\":5}")]
    [InlineData("{\"layers\":[")]
    public void Find_DamagedRecord_SaysWhichFile(string content)
    {
        Image image = _fixture.AddImage("app", Base);
        File.WriteAllText($"{_fixture.Root}/data/images/records/{image.Id.Hex}.json", content);

        Assert.Contains("damaged", Assert.Throws<ImageException>(() => Store.Find("app")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commit_TwoImagesOfOneBase_ShareItsLayer()
    {
        Image first = _fixture.AddImage("a", Base);
        Image second = _fixture.AddImage("b", Base, Top);

        Assert.Equal(first.ChainIds[0], second.ChainIds[0]);
        Assert.Equal(2, Directory.GetDirectories($"{_fixture.Root}/data/layers").Length);
    }

    [Fact]
    public void Apply_LayersInAnyOrder_CommitBottomUp()
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = StoreFixture.Documents(Base, Top, new TarBuilder().HardLink("alias", "bin/sh").Build());
        using ImageIngest ingest = Store.BeginIngest(manifest, null, config);

        ingest.Apply(2, new MemoryStream(blobs[2]));
        ingest.Apply(1, new MemoryStream(blobs[1]));
        Assert.False(Store.Layers.Contains(ingest.ChainIds[2]));
        ingest.Apply(0, new MemoryStream(blobs[0]));
        Image image = ingest.Commit([ImageReference.Parse("x")]);

        Assert.Equal("shell", File.ReadAllText($"{Store.Layers.DirectoryOf(image.ChainIds[2])}/alias"));
        _fixture.AssertNothingStaged();
    }

    [Fact]
    public void Dispose_IngestWithoutCommit_LeavesNoImageAndNoStaging()
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = StoreFixture.Documents(Base, Top);
        using (ImageIngest ingest = Store.BeginIngest(manifest, null, config))
        {
            ingest.Apply(1, new MemoryStream(blobs[1]));
        }

        Assert.Empty(Store.List());
        _fixture.AssertNothingStaged();
    }

    [Fact]
    public void Tag_MovesTheNameFromImageToImage()
    {
        Image old = _fixture.AddImage("app:1", Base);
        Image next = _fixture.AddImage("app:2", Top);

        Store.Tag(next, ImageReference.Parse("app:1"));

        Assert.Equal(next.Id, Store.Find("app:1").Required().Id);
        Assert.Empty(Store.Find(old.Id.Hex).Required().RepoTags);
        Assert.Equal(["app:1", "app:2"], Store.Find("app:2").Required().RepoTags);
    }

    [Fact]
    public void Index_AfterChanges_ListsNamesForOtherTools()
    {
        Image image = _fixture.AddImage("localhost:5000/team/app:1", Base);
        Store.Tag(image, ImageReference.Parse("other"));

        ImageIndex index = ImageDocuments.ParseIndex(File.ReadAllBytes($"{_fixture.Root}/data/images/index.json"), "index.json");

        Assert.Equal(
            ["docker.io/library/other:latest", "localhost:5000/team/app:1"],
            index.Manifests.Select(entry => entry.Annotations![ImageIndex.ReferenceName]).Order());
        Assert.All(index.Manifests, entry => Assert.Equal(image.ManifestDigest, entry.Digest));
    }

    [Fact]
    public void Remove_OneOfTwoNames_OnlyUntags()
    {
        Image image = _fixture.AddImage("a", Base);
        Store.Tag(image, ImageReference.Parse("b"));

        Assert.Equal(["Untagged: a:latest"], Remove("a"));
        Assert.NotNull(Store.Find("b").Image);
    }

    [Fact]
    public void Remove_LastName_DeletesImageLayersAndBlobs()
    {
        _fixture.AddImage("keep", Base);
        Image image = _fixture.AddImage("gone", Base, Top);

        Assert.Equal(["Untagged: gone:latest", $"Deleted: {image.Id}", $"Deleted: {image.ChainIds[1]}"], Remove("gone"));
        Assert.True(Store.Layers.Contains(image.ChainIds[0]));
        Assert.False(Store.Layers.Contains(image.ChainIds[1]));
        Assert.Equal(3, Directory.GetFiles($"{_fixture.Root}/data/images/blobs/sha256").Length);
    }

    [Fact]
    public void Remove_LastTag_TakesTheDigestsOfItsRepository()
    {
        Image image = _fixture.AddImage("r/app:1", Base);
        Store.BeginIngest(Store.Blobs.ReadAll(image.ManifestDigest, 1 << 20), null, Store.Blobs.ReadAll(image.Id, 1 << 20))
            .Commit([ImageReference.Parse($"r/app@{image.ManifestDigest}")]);
        Assert.Equal([$"r/app@{image.ManifestDigest}"], Store.Find("r/app:1").Required().RepoDigests);
        Assert.Equal(image.Id, Store.Find($"r/app:1@{image.ManifestDigest}").Required().Id);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(["Untagged: r/app:1", $"Untagged: r/app@{image.ManifestDigest}", $"Deleted: {image.Id}"], Remove("r/app:1")[..3]);
    }

    [Fact]
    public void Remove_ByIdWithSeveralRepositories_MustBeForced()
    {
        Image image = _fixture.AddImage("a", Base);
        Store.Tag(image, ImageReference.Parse("b"));

        ImageException error = Assert.Throws<ImageException>(() => Remove(image.Id.Short));

        Assert.Equal($"conflict: unable to delete {image.Id.Short} (must be forced) - image is referenced in multiple repositories", error.Message);
        Assert.Equal(4, Remove(image.Id.Short, force: true).Count);
    }

    [Fact]
    public void Remove_UsedByContainer_FollowsDockersRules()
    {
        Image image = _fixture.AddImage("a", Base);
        ImageUse stopped = new("0123456789abcdef", image.Id, image.ChainIds, false);
        ImageUse running = stopped with { IsRunning = true };

        Assert.Equal(
            $"conflict: unable to remove repository reference \"a:latest\" (must force) - container 0123456789ab is using its referenced image {image.Id.Short}",
            Assert.Throws<ImageException>(() => Remove("a", use: stopped)).Message);
        Assert.Equal(
            $"conflict: unable to delete {image.Id.Short} (must be forced) - image is being used by stopped container 0123456789ab",
            Assert.Throws<ImageException>(() => Remove(image.Id.Hex, use: stopped)).Message);
        Assert.Equal(
            $"conflict: unable to delete {image.Id.Short} (cannot be forced) - image is being used by running container 0123456789ab",
            Assert.Throws<ImageException>(() => Remove(image.Id.Hex, force: true, use: running)).Message);

        Remove(image.Id.Hex, force: true, use: stopped);
        Assert.True(Store.Layers.Contains(image.ChainIds[0]), "the stopped container's layers must stay");
        Store.CollectGarbage(() => []);
        Assert.False(Store.Layers.Contains(image.ChainIds[0]));
    }

    [Fact]
    public void CollectGarbage_WhileAnImageIsTakenIn_SparesItsLayers()
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = StoreFixture.Documents(Base, Top);
        using ImageIngest ingest = Store.BeginIngest(manifest, null, config);
        ingest.Apply(0, new MemoryStream(blobs[0]));

        Assert.Null(Store.CollectGarbage(() => []));
        Assert.True(Store.Layers.Contains(ingest.ChainIds[0]));
    }

    [Fact]
    public void CollectGarbage_DryRun_TellsAndKeeps()
    {
        Image image = _fixture.AddImage("a", Base);
        Digest lost = Store.Blobs.Put("nobody's"u8);

        Garbage garbage = Store.CollectGarbage(() => [], new HashSet<Digest> { image.Id }, dryRun: true)!;

        Assert.Equal(image.ChainIds, garbage.Layers);
        Assert.Contains(lost, garbage.Blobs);
        Assert.True(garbage.Bytes > 8);
        Assert.True(Store.Blobs.Contains(lost) && Store.Find("a").Image is not null);
        Assert.Equal(garbage.Blobs.Count, Store.CollectGarbage(() => [], new HashSet<Digest> { image.Id }, dryRun: false)!.Blobs.Count);
        Assert.False(Store.Layers.Contains(image.ChainIds[0]) || Store.Blobs.Contains(lost) || Store.Find("a").Image is not null);
    }

    [Fact]
    public void CollectGarbage_ImageGivenUpButUsedByNow_Stays()
    {
        Image image = _fixture.AddImage("a", Base);
        ImageUse use = new("c", image.Id, image.ChainIds, IsRunning: false);

        Store.CollectGarbage(() => [use], new HashSet<Digest> { image.Id }, dryRun: false);

        Assert.Equal(image.Id, Store.Find("a").Required().Id);
    }

    [Fact]
    public void Prune_Unused_TakesNamesImagesAndLayers()
    {
        Image used = _fixture.AddImage("used", Base);
        Image unused = _fixture.AddImage("unused", Base, Top);
        ImageUse use = new("c", used.Id, used.ChainIds, IsRunning: false);

        PruneResult result = Store.Prune(_ => true, () => [use]);

        Assert.Equal(["Untagged: unused:latest", $"Deleted: {unused.Id}", $"Deleted: {unused.ChainIds[1]}"], result.Removed.Select(item => item.ToString()));
        Assert.True(result.Bytes > 0);
        Assert.True(Store.Layers.Contains(used.ChainIds[0]));
    }

    [Fact]
    public void Sweep_RemovesLeftoversButSparesTheLiving()
    {
        using BlobWriter living = Store.Blobs.Begin();
        Directory.CreateDirectory($"{_fixture.Root}/data/layers/new-1-dead/diff/x");
        File.WriteAllText($"{_fixture.Root}/data/layers/new-1-dead/diff/x/f", "half");
        File.WriteAllText($"{_fixture.Root}/data/images/staging/new-1-dead", "half");

        Store.Sweep();

        Assert.Empty(Directory.GetDirectories($"{_fixture.Root}/data/layers"));
        Assert.Single(Directory.GetFiles($"{_fixture.Root}/data/images/staging"), file => Path.GetFileName(file) != ".gate");
    }

    [Fact]
    public void Import_PlainTar_BecomesAnImageOfOneLayer()
    {
        Image image = Store.Import(new MemoryStream(StoreFixture.Gzip(Base)), ImageReference.Parse("imported"), "Imported from -");

        ImageConfig config = Store.ReadConfig(Store.Find("imported").Required());
        Assert.Equal("Imported from -", Assert.Single(config.History!).Comment);
        Assert.Equal(ImageStore.HostArchitecture, config.Architecture);
        Assert.Equal("shell", File.ReadAllText($"{Store.Layers.DirectoryOf(image.ChainIds[0])}/bin/sh"));
    }

    [Theory]
    [InlineData("", "the archive is empty")]
    [InlineData("only text", "the archive: truncated, or not a tar archive: only 9 bytes long")]
    public void Import_NoArchive_SaysSoAndLeavesNothing(string content, string expected)
    {
        ImageException error = Assert.Throws<ImageException>(
            () => Store.Import(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)), null, "c"));

        Assert.Equal(expected, error.Message);
        Assert.Empty(Store.List());
        _fixture.AssertNothingStaged();
    }

    [Fact]
    public async Task CVE_2024_36621_CommitManyAtOnce_LosesNoName()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
            // Another object on the same directory stands for another process: locks are per open file.
            AddVia(ImageStore.Open($"{_fixture.Root}/data", new ImageStoreOptions { Sync = false }), $"app:{i}", Base, new TarBuilder().File("n", $"{i % 3}").Build()))));

        Assert.Equal(8, Store.List().Sum(image => image.RepoTags.Count));
        Assert.Equal(8, ImageDocuments.ParseIndex(File.ReadAllBytes($"{_fixture.Root}/data/images/index.json"), "index").Manifests.Count);
        _fixture.AssertNothingStaged();
    }

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux","history":null,"rootfs":null}""", "rootfs.diff_ids is missing")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":["sha256:../../x"]}}""", "not a sha256 digest")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[null]}}""", "not a sha256 digest")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]}}""", "1 layers, but the configuration has 0")]
    [InlineData("[]", "not valid")]
    [InlineData("null", "is null")]
    [InlineData("{", "not valid")]
    public void CVE_2021_21285_MalformedConfig_IsAnErrorWithAName(string json, string expected)
    {
        byte[] config = System.Text.Encoding.UTF8.GetBytes(json);
        ImageManifest manifest = new()
        {
            Config = new Descriptor { Digest = Digest.Of(config), Size = config.Length },
            Layers = [new Descriptor { Digest = Digest.Of(Base), Size = 1 }],
        };

        Exception error = Assert.ThrowsAny<Exception>(
            () => Store.BeginIngest(JsonSerializer.SerializeToUtf8Bytes(manifest, ImageSpecJson.Default.ImageManifest), null, config));

        Assert.True(error is ImageException or ImageSpecException, $"{error}");
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2024_36623_TakingInAndRemovingAtOnce_LeavesAWholeStore()
    {
        byte[] unique = new TarBuilder().File("u", "u").Build();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() =>
        {
            ImageStore store = ImageStore.Open($"{_fixture.Root}/data", new ImageStoreOptions { Sync = false });
            for (int round = 0; round < 5; round++)
            {
                if (i % 2 == 0)
                {
                    AddVia(store, $"app:{i}", Base, unique);
                }
                else if (store.Find($"app:{i - 1}").Image is not null)
                {
                    try
                    {
                        store.Remove($"app:{i - 1}", force: true, () => []);
                    }
                    catch (ImageException e) when (e.Kind == ImageError.NotFound)
                    {
                        // The other was faster.
                    }
                }
            }
        })));

        foreach (Image image in Store.List())
        {
            Assert.All(image.ChainIds, chain => Assert.True(Store.Layers.Contains(chain)));
            Assert.All(image.Layers, layer => Assert.True(Store.Blobs.Contains(layer.Blob.Digest)));
        }

        _fixture.AssertNothingStaged();
    }

    [Fact]
    public void ReadAll_BlobChangedOnDisk_IsFound()
    {
        Digest digest = Store.Blobs.Put("content"u8);
        File.WriteAllText(Store.Blobs.PathOf(digest), "changed");

        Assert.Contains("the stored file has the digest", Assert.Throws<ImageException>(() => Store.Blobs.ReadAll(digest, 100)).Message, StringComparison.Ordinal);
    }

    private static void AddVia(ImageStore store, string name, params byte[][] tars)
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = StoreFixture.Documents(tars);
        using ImageIngest ingest = store.BeginIngest(manifest, null, config);
        for (int i = blobs.Length - 1; i >= 0; i--)
        {
            ingest.Apply(i, new MemoryStream(blobs[i]));
        }

        ingest.Commit([ImageReference.Parse(name)]);
    }

    private List<string> Remove(string typed, bool force = false, ImageUse? use = null) =>
        [.. Store.Remove(typed, force, () => use is null ? [] : [use]).Select(item => $"{item}")];
}
