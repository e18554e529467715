using System.Text;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>Manifest lists of images that are in registries, and pushes of them.</summary>
public sealed class ListMembersTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeRegistry _source = new();
    private readonly FakePushTarget _target = new();
    private readonly ImageStore _store;

    public ListMembersTests() => _store = ImageStore.Open(_directory.Path, new ImageStoreOptions { Sync = false });

    public void Dispose()
    {
        _source.Dispose();
        _target.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Create_ImageInARegistry_FetchesNoLayer_AndIsAnnotatedByItsName()
    {
        FakeImage image = _source.AddImage("1", "s390x", "one");
        ImageReference list = ImageReference.Parse("multi:1");

        await CreateAsync(list, $"{_source.Host}/app:1");
        _store.AnnotateList(list, $"{_source.Host}/app:1", platform => platform with { OsVersion = "6.1", OsFeatures = ["sse4", "aes"] });

        string json = Encoding.UTF8.GetString(_store.ReadListBytes(list));
        Descriptor entry = Assert.Single(ImageDocuments.ParseIndex(Encoding.UTF8.GetBytes(json), "list").Manifests);
        Assert.Equal((image.Manifest, "s390x", "6.1", null), (entry.Digest, entry.Platform!.Architecture, entry.Platform.OsVersion, entry.Annotations));
        Assert.Contains("\"os.features\":[\"sse4\",\"aes\"]", json, StringComparison.Ordinal);
        Assert.DoesNotContain(_source.Requests, request => request.Path.EndsWith(image.Layers[0].ToString(), StringComparison.Ordinal));
        _store.CollectGarbage(PlatformFixture.NoUses);
        Assert.True(_store.Blobs.Contains(image.Manifest) && _store.Blobs.Contains(image.Config));
        _store.AnnotateList(list, $"{_source.Host}/app@{image.Manifest}", platform => platform with { Variant = "v1" });
        ImageException error = Assert.Throws<ImageException>(() => _store.AnnotateList(list, "busybox", platform => platform));
        Assert.Equal("manifest for image busybox:latest does not exist in multi:1", error.Message);
    }

    [Fact]
    public async Task Create_NeitherHereNorThere_SaysBoth()
    {
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => CreateAsync(ImageReference.Parse("multi:1"), $"{_source.Host}/none:1"));

        Assert.StartsWith($"No such image: {_source.Host}/none:1 here, nor in its registry: ", error.Message, StringComparison.Ordinal);
        Assert.Throws<ImageException>(() => _store.ReadListBytes(ImageReference.Parse("multi:1")));
    }

    [Fact]
    public async Task Create_OfAList_IsRefused()
    {
        FakeIndex.Add(_source, "index");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => CreateAsync(ImageReference.Parse("multi:1"), $"{_source.Host}/app:index"));

        Assert.Contains("is a manifest list itself", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_LayersInTheSameRegistry_AreMounted()
    {
        FakeImage image = _source.AddImage("1", "amd64", "one");
        ImageReference list = ImageReference.Parse($"{_target.Host}/multi:1");
        await CreateAsync(list, $"{_source.Host}/app:1");
        _store.Origins.Add($"{_target.Host}/near", [new LayerBlob(DiffId(image), Layer(image))]);
        _target.Have("near", image.Layers[0]);

        PushResult result = await PushAsync(list);

        Assert.Equal(result.Digest, Digest.Of(_target.Manifests["multi:1"].Content));
        Assert.True(_target.Has("multi", image.Layers[0]) && _target.Has("multi", image.Config));
        Assert.Equal(image.Json, Encoding.UTF8.GetString(_target.Manifests[$"multi:{image.Manifest}"].Content));
    }

    [Fact]
    public async Task Push_LayersInAnotherRegistry_SaysWhere()
    {
        _source.AddImage("1", "amd64", "one");
        ImageReference list = ImageReference.Parse($"{_target.Host}/multi:1");
        await CreateAsync(list, $"{_source.Host}/app:1");

        ImageException error = await Assert.ThrowsAsync<ImageException>(() => PushAsync(list));

        Assert.Contains($"is neither in {_target.Host}/multi nor here, but in {_source.Host}/app, from where it cannot be mounted", error.Message, StringComparison.Ordinal);
        Assert.Contains("pull that image", error.Message, StringComparison.Ordinal);
        Assert.Empty(_target.Manifests);
    }

    private Task CreateAsync(ImageReference list, string name) => new ListMembers(
        _store,
        new ManifestReader(_store, FakeRegistry.Settings)
        {
            Retry = new RetryPolicy(1, TimeSpan.FromMilliseconds(5)),
            EnvironmentVariable = _ => null,
        }).CreateListAsync(list, [name], amend: false, TestContext.Current.CancellationToken);

    private Task<PushResult> PushAsync(ImageReference list) => new ImagePusher(_store, FakeRegistry.Settings)
    {
        Retry = new RetryPolicy(1, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    }.PushListAsync(list, new SilentTransferProgress(), TestContext.Current.CancellationToken);

    private Digest DiffId(FakeImage image)
    {
        ImageDocuments.ParseConfig(_store.Blobs.ReadAll(image.Config, 100_000), "config", out IReadOnlyList<Digest> diffIds);
        return diffIds[0];
    }

    private static Descriptor Layer(FakeImage image) => ImageDocuments.ParseManifest(Encoding.UTF8.GetBytes(image.Json), "manifest").Layers[0];
}
