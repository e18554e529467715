using System.Formats.Tar;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>Images for several platforms, to archives and back.</summary>
public sealed class PlatformArchiveTests : IDisposable
{
    private readonly PlatformFixture _one = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly ImageStore _other;

    public PlatformArchiveTests() => _other = ImageStore.Open(_directory.Path, new ImageStoreOptions { Sync = false });

    public void Dispose()
    {
        _one.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task SaveAndLoad_WholeIndex_KeepsItWithAllItsImages()
    {
        await _one.PullAsync(null, all: true);
        Image saved = _one.Store.Find(_one.Name).Required();

        LoadResult loaded = _other.Load(Saved(null));

        Assert.Equal(saved.Id, Assert.Single(loaded.Images).Image.Id);
        Image image = _other.Find(_one.Name).Required();
        Assert.Equal((saved.Id, (Digest?)_one.Index.Digest), (image.Id, image.Index));
        Assert.Equal([true, true], _other.PlatformsOf(image).Select(platform => platform.Image is not null));
        Assert.True(_other.Blobs.Contains(_one.Index.Statement));
        _other.CollectGarbage(PlatformFixture.NoUses);
        Assert.Empty(_other.Check(PlatformFixture.NoUses, out _));
    }

    [Fact]
    public async Task SaveAndLoad_OnePlatform_IsThatImageAlone()
    {
        await _one.PullAsync(null, all: true);
        MemoryStream archive = Saved(PlatformFixture.Arm);

        Assert.Equal(_one.Index.Arm.Config, Assert.Single(_other.Load(archive).Images).Image.Id);

        Assert.Null(_other.Find(_one.Name).Required().Index);
        archive.Position = 0;
        ImageException error = Assert.Throws<ImageException>(() => _other.Load(archive, PlatformFixture.Amd));
        Assert.Contains("is not for linux/amd64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_PlatformOfAWholeIndex_TakesThatOne()
    {
        await _one.PullAsync(null, all: true);

        _other.Load(Saved(null), PlatformFixture.Arm);

        Assert.Equal((_one.Index.Arm.Config, (Digest?)_one.Index.Digest), (_other.Find(_one.Name).Required().Id, _other.Find(_one.Name).Required().Index));
        Assert.Single(_other.List());
    }

    [Fact]
    public async Task Load_ArchiveLacksThePlatformOfThisMachine_TakesWhatThereIs()
    {
        await _one.PullAsync(null, all: true);
        FakeImage host = _one.Host;
        FakeImage rest = host == _one.Index.Amd ? _one.Index.Arm : _one.Index.Amd;

        // As docker saves an index of which it has one image.
        _other.Load(Without(Saved(null), host.Manifest));

        Assert.Equal(rest.Config, _other.Find(_one.Name).Required().Id);
        Assert.Equal([rest.Config], _other.PlatformsOf(_other.Find(_one.Name).Required()).Select(platform => platform.Image?.Id).OfType<Digest>());
        Assert.Empty(_other.Check(PlatformFixture.NoUses, out _));
    }

    private MemoryStream Saved(Hull.Oci.ImageSpec.Platform? platform)
    {
        MemoryStream archive = new();
        _one.Store.Save([_one.Name], archive, platform);
        archive.Position = 0;
        return archive;
    }

    private static MemoryStream Without(MemoryStream archive, Digest blob)
    {
        MemoryStream result = new();
        using TarReader reader = new(archive);
        using (TarWriter writer = new(result, leaveOpen: true))
        {
            while (reader.GetNextEntry() is { } entry)
            {
                if (!entry.Name.EndsWith(blob.Hex, StringComparison.Ordinal))
                {
                    writer.WriteEntry(entry);
                }
            }
        }

        result.Position = 0;
        return result;
    }
}
