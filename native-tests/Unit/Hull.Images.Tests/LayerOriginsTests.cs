using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests;

/// <summary>What a store remembers of registries: the latest first, not without bound, and no longer than the layer is here.</summary>
public sealed class LayerOriginsTests : IDisposable
{
    private static readonly Descriptor Blob = new() { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Of("blob"u8), Size = 4 };
    private readonly StoreFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Add_ManyRepositories_KeepsTheLatestFirst()
    {
        Digest diffId = Digest.Of("layer"u8);
        for (int i = 0; i < 20; i++)
        {
            _fixture.Store.Origins.Add($"r.example/app{i}", [new LayerBlob(diffId, Blob)]);
        }

        _fixture.Store.Origins.Add("r.example/app10", [new LayerBlob(diffId, Blob)]);

        IReadOnlyList<LayerOrigin> origins = _fixture.Store.Origins.Of(diffId);
        Assert.Equal(16, origins.Count);
        Assert.Equal(["r.example/app10", "r.example/app19", "r.example/app18"], origins.Take(3).Select(origin => origin.Repository));
        Assert.Equal(Blob, origins[0].Blob);
    }

    [Fact]
    public void Of_DamagedFile_IsNothingAndWrittenAnew()
    {
        Digest diffId = Digest.Of("layer"u8);
        _fixture.Store.Origins.Add("r.example/app", [new LayerBlob(diffId, Blob)]);
        File.WriteAllText($"{_fixture.Root}/data/images/origins/{diffId.Hex}.json", "{");

        Assert.Empty(_fixture.Store.Origins.Of(diffId));
        _fixture.Store.Origins.Add("r.example/app", [new LayerBlob(diffId, Blob)]);
        Assert.Single(_fixture.Store.Origins.Of(diffId));
    }

    [Fact]
    public void CollectGarbage_LayerIsGone_ForgetsIt()
    {
        Image image = _fixture.AddImage("app:1", new TarBuilder().File("file", "text").Build());
        Digest here = image.Layers[0].DiffId;
        Digest gone = Digest.Of("gone"u8);
        _fixture.Store.Origins.Add("r.example/app", [new LayerBlob(here, Blob), new LayerBlob(gone, Blob)]);

        _fixture.Store.CollectGarbage(() => []);

        Assert.Single(_fixture.Store.Origins.Of(here));
        Assert.Empty(_fixture.Store.Origins.Of(gone));
    }
}
