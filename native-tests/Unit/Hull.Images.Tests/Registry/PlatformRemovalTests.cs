using Hull.Images.Checking;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>How the images of an index go with their names, and what a check finds of them.</summary>
public sealed class PlatformRemovalTests : IDisposable
{
    private readonly PlatformFixture _one = new();

    private ImageStore Store => _one.Store;

    private FakeIndex Index => _one.Index;

    public void Dispose() => _one.Dispose();

    [Fact]
    public async Task Remove_LastName_TakesTheSiblings()
    {
        await _one.PullAsync(null, all: true);
        Image image = Store.Find(_one.Name).Required();
        Digest sibling = image.Id == Index.Amd.Config ? Index.Arm.Config : Index.Amd.Config;

        IReadOnlyList<RemovedItem> removed = Store.Remove(_one.Name, force: false, PlatformFixture.NoUses);

        Assert.Equal(
            [$"Untagged: {_one.Name}", $"Untagged: {_one.Source.Host}/app@{Index.Digest}", $"Deleted: {image.Id}", $"Deleted: {sibling}"],
            removed.Take(4).Select(item => item.ToString()));
        Assert.Equal(7, removed.Count);
        foreach (string directory in new[] { "images/blobs/sha256", "images/records", "images/references", "images/indexes", "layers" })
        {
            Assert.Empty(_one.Files(directory));
        }
    }

    [Fact]
    public async Task Remove_OneOfTwoNames_KeepsTheSiblings()
    {
        await _one.PullAsync(null, all: true);
        string other = _one.TagTo("other:1");

        Assert.Equal(2, Store.Remove(_one.Name, force: false, PlatformFixture.NoUses).Count);

        Assert.Equal(Index.Arm.Config, Store.Find(other, PlatformFixture.Arm).Required().Id);
        Assert.Equal(Index.Amd.Config, Store.Find(other, PlatformFixture.Amd).Required().Id);
    }

    [Fact]
    public async Task Remove_SiblingHasANameOfItsOwn_Stays()
    {
        await _one.PullAsync(null, all: true);
        Store.Tag(Store.Find(Index.Arm.Config.ToString()).Required(), ImageReference.Parse("arm:1"));
        Store.Tag(Store.Find(Index.Amd.Config.ToString()).Required(), ImageReference.Parse("amd:1"));

        IReadOnlyList<RemovedItem> removed = Store.Remove(_one.Name, force: true, PlatformFixture.NoUses);

        Assert.DoesNotContain(removed, item => item.Deleted is not null);
        Assert.Equal(Index.Arm.Config, Store.Find("arm:1").Required().Id);
        Assert.Empty(_one.Files("images/indexes"));
    }

    [Fact]
    public async Task Remove_SiblingIsUsed_NeedsForceAndKeepsItsLayers()
    {
        await _one.PullAsync(PlatformFixture.Arm);
        await _one.PullAsync(PlatformFixture.Amd);
        Image arm = Store.Find(Index.Arm.Config.ToString()).Required();
        IReadOnlyList<ImageUse> uses = [new ImageUse("0123456789abcdef", arm.Id, arm.ChainIds, IsRunning: false)];

        ImageException error = Assert.Throws<ImageException>(() => Store.Remove(_one.Name, force: false, () => uses));
        Assert.Contains($"container 0123456789ab is using its referenced image {arm.Id.Short}", error.Message, StringComparison.Ordinal);
        Assert.Empty(Store.Prune(_ => true, () => uses).Removed);

        Store.Remove(_one.Name, force: true, () => uses);

        Assert.Equal(arm.Id, Assert.Single(Store.List()).Id);
        Assert.True(Store.Layers.Contains(arm.ChainIds[^1]));
    }

    [Fact]
    public async Task RemovePlatform_TakesThatOneOnly_AndTheNameStandsForTheOther()
    {
        await _one.PullAsync(PlatformFixture.Arm);
        await _one.PullAsync(PlatformFixture.Amd);

        IReadOnlyList<RemovedItem> removed = Store.Remove(_one.Name, force: false, PlatformFixture.NoUses, PlatformFixture.Amd);

        Assert.Equal($"Deleted: {Index.Amd.Config}", removed[0].ToString());
        Assert.Equal(2, removed.Count);
        Image left = Store.Find(_one.Name).Required();
        Assert.Equal((Index.Arm.Config, (Digest?)Index.Digest), (left.Id, left.Index));
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
        ImageException error = Assert.Throws<ImageException>(
            () => Store.Remove(_one.Name, force: false, PlatformFixture.NoUses, PlatformFixture.Amd));
        Assert.Contains("(linux/amd64): it is for linux/arm64", error.Message, StringComparison.Ordinal);

        Assert.Equal(
            [$"Untagged: {_one.Name}", $"Untagged: {_one.Source.Host}/app@{Index.Digest}", $"Deleted: {left.Id}"],
            Store.Remove(_one.Name, force: false, PlatformFixture.NoUses, PlatformFixture.Arm).Take(3).Select(item => item.ToString()));
        Assert.Empty(_one.Files("images/blobs/sha256"));
    }

    [Fact]
    public async Task Prune_All_TakesNameAndSiblings()
    {
        await _one.PullAsync(null, all: true);

        PruneResult result = Store.Prune(_ => true, PlatformFixture.NoUses);

        Assert.Equal(2, result.Removed.Count(item => item.ToString().Contains("Untagged", StringComparison.Ordinal)));
        Assert.Empty(Store.List());
        Assert.Empty(_one.Files("images/blobs/sha256"));
    }

    [Fact]
    public async Task CollectGarbage_GivenUp_TakesTheSiblingsToo()
    {
        await _one.PullAsync(null, all: true);

        Store.CollectGarbage(PlatformFixture.NoUses, new HashSet<Digest> { Store.Find(_one.Name).Required().Id }, dryRun: false);

        Assert.Empty(Store.List());
        Assert.Empty(_one.Files("images/blobs/sha256"));
    }

    [Fact]
    public async Task Pull_TagMovesToAnotherIndex_OldOneStaysUnderItsDigest()
    {
        await _one.PullAsync(PlatformFixture.Amd);
        FakeIndex moved = FakeIndex.Add(_one.Source, "1", "two");

        await _one.PullAsync(PlatformFixture.Amd);

        Assert.Equal(moved.Digest, Store.Find(_one.Name).Required().Index);
        Assert.Equal(Index.Digest, Store.Find($"{_one.Source.Host}/app@{Index.Digest}").Required().Index);
        Store.Remove(Index.Amd.Config.ToString(), force: false, PlatformFixture.NoUses);
        Assert.False(Store.Blobs.Contains(Index.Digest));
        Assert.True(Store.Blobs.Contains(moved.Digest));
    }

    [Fact]
    public async Task Check_IndexDamagedOrItsWayGone_IsNamedAndMended()
    {
        await _one.PullAsync(null, all: true);
        File.Delete($"{_one.DataRoot}/images/indexes/{Index.Digest.Hex}");

        Assert.NotNull(Store.Find(_one.Name).Image);
        IReadOnlyList<Damage> found = Store.Check(PlatformFixture.NoUses, out _);
        Assert.All(found, damage => Assert.Contains("the way through its index is gone", damage.What, StringComparison.Ordinal));
        Assert.All(found, damage => Assert.True(damage.Mend!()));
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));

        File.WriteAllText(Store.Blobs.PathOf(Index.Digest), Index.Json.Replace("linux", "minix", StringComparison.Ordinal));
        Damage damaged = Assert.Single(Store.Check(PlatformFixture.NoUses, out _));
        Assert.Contains($"its index has other content than its digest says (blob {Index.Digest.Short})", damaged.What, StringComparison.Ordinal);
        damaged.Mend!();
        await _one.PullAsync(null, all: true);
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
    }
}
