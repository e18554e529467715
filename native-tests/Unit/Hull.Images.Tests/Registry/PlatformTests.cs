using System.Text;
using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>Images for several platforms under one name: pulled, found, pushed and removed.</summary>
public sealed class PlatformTests : IDisposable
{
    private readonly PlatformFixture _one = new();

    private ImageStore Store => _one.Store;

    private FakeIndex Index => _one.Index;

    public void Dispose() => _one.Dispose();

    [Fact]
    public async Task Pull_ThroughIndex_KeepsItByteForByte()
    {
        await _one.PullAsync(PlatformFixture.Amd);

        Image image = Store.Find(_one.Name).Required();
        Assert.Equal((Index.Amd.Config, (Digest?)Index.Digest), (image.Id, image.Index));
        Assert.Equal(Index.Json, Encoding.UTF8.GetString(Store.Blobs.ReadAll(Index.Digest, 100_000)));
        Assert.Equal([$"{_one.Source.Host}/app@{Index.Digest}"], image.RepoDigests);
        Assert.Equal(image.Id, Store.Find(image.RepoDigests[0]).Required().Id);
        Store.CollectGarbage(PlatformFixture.NoUses);
        Assert.True(Store.Blobs.Contains(Index.Digest));
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
    }

    [Fact]
    public async Task Pull_AnotherPlatform_KeepsBoth_AndTheNameMoves()
    {
        await _one.PullAsync(PlatformFixture.Amd);
        PullResult second = await _one.PullAsync(PlatformFixture.Arm);

        Assert.Equal((Index.Digest, true), (second.Digest, second.Downloaded));
        Assert.Equal(Index.Arm.Config, Store.Find(_one.Name).Required().Id);
        Assert.Equal(Index.Amd.Config, Store.Find(_one.Name, PlatformFixture.Amd).Required().Id);
        Assert.Equal(Index.Arm.Config, Store.Find(_one.Name, PlatformFixture.Arm).Required().Id);
        Image amd = Store.Find(Index.Amd.Config.ToString()).Required();
        Assert.True(amd.IsSibling);
        Assert.Empty(amd.References);
        Assert.Equal([_one.Name], Store.Find(_one.Name, PlatformFixture.Amd).Required().RepoTags);
        Store.CollectGarbage(PlatformFixture.NoUses);
        Assert.Empty(Store.Prune(image => image.RepoTags.Count == 0, PlatformFixture.NoUses).Removed);
        Assert.True(Store.Layers.Contains(amd.ChainIds[^1]));
        Assert.False((await _one.PullAsync(PlatformFixture.Arm)).Downloaded);
    }

    [Fact]
    public async Task Find_PlatformThatIsNotHere_NamesThoseThatAre()
    {
        await _one.PullAsync(PlatformFixture.Arm);
        await _one.PullAsync(PlatformFixture.Amd);

        ImageMatch match = Store.Find(_one.Name, PlatformMatch.Parse("linux/s390x"));

        Assert.Equal(ImageError.NotFound, match.Error);
        Assert.Equal(
            $"image {_one.Name} was found but does not provide the specified platform (linux/s390x): it is for linux/amd64, linux/arm64", match.Problem);
        Assert.NotNull(match.Reference);
    }

    [Fact]
    public async Task PullAllPlatforms_BringsAll_AndNothingTheSecondTime()
    {
        await _one.PullAsync(null, all: true);

        Assert.Equal(_one.Host.Config, Store.Find(_one.Name).Required().Id);
        Assert.True(Store.Blobs.Contains(Index.Attestation) && Store.Blobs.Contains(Index.Statement));
        Assert.Equal([true, true], Store.PlatformsOf(Store.Find(_one.Name).Required()).Select(one => one.Image is not null));
        Store.CollectGarbage(PlatformFixture.NoUses);
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
        int before = _one.Source.Requests.Count();

        Assert.False((await _one.PullAsync(null, all: true)).Downloaded);

        Assert.StartsWith("HEAD", Assert.Single(_one.Source.Requests.Skip(before)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAllPlatforms_AfterOne_FetchesTheRestOnly()
    {
        await _one.PullAsync(PlatformFixture.Amd);

        Assert.True((await _one.PullAsync(null, all: true)).Downloaded);

        Assert.Single(_one.Source.Requests, request => request.Path.EndsWith(Index.Amd.Layers[0].ToString(), StringComparison.Ordinal));
        Assert.Single(_one.Source.Requests, request => request.Path.EndsWith(Index.Amd.Layers[1].ToString(), StringComparison.Ordinal));
        Assert.Equal(2, Store.List().Count);
    }

    [Fact]
    public async Task PullAllPlatforms_FailsInTheMiddle_LeavesWholeImages_AndTheNextGoesOn()
    {
        FakeImage later = _one.Host == Index.Amd ? Index.Arm : Index.Amd;
        _one.Source.Intercept = request =>
            request.Path.EndsWith(later.Layers[1].ToString(), StringComparison.Ordinal) ? FakeResponse.Text(404, """{"errors":[{"code":"BLOB_UNKNOWN"}]}""") : null;

        await Assert.ThrowsAsync<RegistryException>(() => _one.PullAsync(null, all: true));

        Assert.Single(Store.List());
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
        _one.Source.Intercept = _ => null;
        await _one.PullAsync(null, all: true);
        Assert.Equal(2, Store.List().Count);
    }

    [Fact]
    public async Task Push_WholeIndex_HasTheDigestThatWasPulled()
    {
        await _one.PullAsync(null, all: true);
        string name = _one.TagTo("team/copy:2");

        PushResult result = await _one.PushAsync(name);

        Assert.Equal((Index.Digest, Index.Json.Length), (result.Digest, result.Size));
        Assert.Empty(result.Missing);
        (byte[] content, string type) = _one.Target.Manifests["team/copy:2"];
        Assert.Equal((Index.Json, FakeRegistry.OciIndex), (Encoding.UTF8.GetString(content), type));
        Assert.Equal(
            new[] { Index.Amd.Manifest, Index.Arm.Manifest, Index.Attestation }.Select(digest => $"team/copy:{digest}").Order(StringComparer.Ordinal),
            _one.Target.Manifests.Keys.Where(key => key.Contains("sha256", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.True(_one.Target.Has("team/copy", Index.Statement));
        Assert.EndsWith($"2: digest: {Index.Digest} size: {Index.Json.Length}\n", _one.Output, StringComparison.Ordinal);
        Assert.Equal(Index.Digest, Store.IndexOf(ImageReference.Parse($"{_one.Target.Host}/team/copy@{Index.Digest}")));
    }

    [Fact]
    public async Task Push_NestedIndex_GoesBeforeTheOneAround()
    {
        Digest around = FakeIndex.AddAround(_one.Source, Index, "nested");
        await _one.PullAsync(null, all: true, name: $"{_one.Source.Host}/app:nested");
        string name = $"{_one.Target.Host}/nested:1";
        Store.Tag(Store.Find($"{_one.Source.Host}/app:nested").Required(), ImageReference.Parse(name));

        PushResult result = await _one.PushAsync(name);

        Assert.Equal(around, result.Digest);
        Assert.Equal(Index.Json, Encoding.UTF8.GetString(_one.Target.Manifests[$"nested:{Index.Digest}"].Content));
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
    }

    [Fact]
    public async Task Push_PlatformsMissing_SendsTheOneAndSaysWhich()
    {
        await _one.PullAsync(PlatformFixture.Amd);
        string name = _one.TagTo("app:1");

        PushResult result = await _one.PushAsync(name);

        Assert.Equal(Index.Amd.Manifest, result.Digest);
        Assert.Equal(["linux/arm64", "attestations"], result.Missing);
        Assert.Equal("app:1", Assert.Single(_one.Target.Manifests.Keys));
    }

    [Fact]
    public async Task Push_OnePlatform_IsThatImageAlone()
    {
        await _one.PullAsync(null, all: true);
        string name = _one.TagTo("app:1");

        Assert.Equal(Index.Arm.Manifest, (await _one.PushAsync(name, PlatformFixture.Arm)).Digest);

        Assert.Equal(Index.Arm.Json, Encoding.UTF8.GetString(_one.Target.Manifests["app:1"].Content));
        ImageException error = await Assert.ThrowsAsync<ImageException>(() => _one.PushAsync(name, PlatformMatch.Parse("linux/s390x")));
        Assert.Contains("it is for linux/amd64, linux/arm64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_StoreOfAnOlderHull_BringsTheIndexWithoutLayers()
    {
        await _one.PullAsync(PlatformFixture.Amd);
        foreach (string link in Directory.EnumerateFiles($"{_one.DataRoot}/images/references").ToArray())
        {
            File.Delete(link);
            File.CreateSymbolicLink(link, $"../records/{Index.Amd.Config.Hex}.json");
        }

        File.Delete(Store.Blobs.PathOf(Index.Digest));
        Assert.Null(Store.Find(_one.Name).Required().Index);

        PullResult again = await _one.PullAsync(PlatformFixture.Amd);

        Assert.False(again.Downloaded);
        Assert.Equal(Index.Digest, Store.Find(_one.Name).Required().Index);
        Assert.Single(_one.Source.Requests, request => request.Path.EndsWith(Index.Amd.Layers[0].ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_TwoAtOnce_EachPlatformIsHere()
    {
        await Task.WhenAll(_one.PullAsync(PlatformFixture.Amd), _one.PullAsync(PlatformFixture.Arm), _one.PullAsync(null, all: true));

        Assert.Equal(2, Store.List().Count);
        Assert.Empty(Store.Check(PlatformFixture.NoUses, out _));
    }
}
