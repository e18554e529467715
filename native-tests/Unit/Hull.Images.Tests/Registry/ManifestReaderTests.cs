using System.Text;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>What <c>manifest inspect</c> finds, and where.</summary>
public sealed class ManifestReaderTests : IDisposable
{
    private readonly PlatformFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Find_OnlyInTheRegistry_ByteForByte_AndNothingIsStored()
    {
        FoundManifest found = await Reader().FindAsync(_fixture.Name, TestContext.Current.CancellationToken);

        Assert.Equal((_fixture.Index.Digest, true), (Digest.Of(found.Content), found.IsIndex));
        Assert.Equal($"{_fixture.Source.Host}/app@{_fixture.Index.Digest}", found.Reference);
        Assert.False(Directory.Exists($"{_fixture.DataRoot}/images"));
    }

    [Fact]
    public async Task Find_Pulled_TheIndexItCameWith_WithoutARequest()
    {
        await _fixture.PullAsync(null);
        int requests = _fixture.Source.Requests.Count();

        FoundManifest found = await Reader().FindAsync(_fixture.Name, TestContext.Current.CancellationToken);

        Assert.Equal((_fixture.Index.Digest, requests), (found.Descriptor.Digest, _fixture.Source.Requests.Count()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FindEach_Index_EveryManifestWithItsPlatform_WhatIsHereFromHere(bool pulled)
    {
        if (pulled)
        {
            await _fixture.PullAsync(null);
        }

        int before = _fixture.Source.Requests.Count();
        IReadOnlyList<FoundManifest> found = await Reader().FindEachAsync(_fixture.Name, TestContext.Current.CancellationToken);

        Assert.Equal(
            ImageDocuments.ParseIndex(Encoding.UTF8.GetBytes(_fixture.Index.Json), "index").Manifests.Select(entry => (entry.Digest, entry.Platform!.Architecture)),
            found.Select(one => (one.Descriptor.Digest, one.Descriptor.Platform!.Architecture)));
        Assert.All(found, one => Assert.Equal(one.Descriptor.Digest, Digest.Of(one.Content)));
        Assert.Equal(!pulled, _fixture.Source.Requests.Skip(before).Any(request => request.Path.EndsWith(_fixture.Host.Manifest.ToString(), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task FindEach_OneManifest_ItsPlatformIsOfTheConfiguration()
    {
        FoundManifest found = Assert.Single(
            await Reader().FindEachAsync($"{_fixture.Source.Host}/app@{_fixture.Index.Arm.Manifest}", TestContext.Current.CancellationToken));

        Assert.Equal((_fixture.Index.Arm.Manifest, "arm64"), (found.Descriptor.Digest, found.Descriptor.Platform!.Architecture));
    }

    [Fact]
    public async Task Find_Nowhere_SaysWhereItWasLookedFor()
    {
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => Reader().FindAsync($"{_fixture.Source.Host}/app:none", TestContext.Current.CancellationToken));

        Assert.Contains($"No such image: {_fixture.Source.Host}/app:none here, nor in its registry", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_NameThatIsNone_IsInvalid() => Assert.Equal(
        ImageError.Invalid,
        (await Assert.ThrowsAsync<ImageException>(() => Reader().FindAsync("Not A Name", TestContext.Current.CancellationToken))).Kind);

    [Fact]
    public async Task Find_ListMadeHere_ComesFirst_AndItsMemberHasItsAnnotation()
    {
        await _fixture.PullAsync(null);
        ImageReference list = ImageReference.Parse("multi:1");
        Image image = _fixture.Store.Find(_fixture.Name).Required();
        _fixture.Store.CreateList(list, [ImageStore.EntryOf(image)], amend: false);
        _fixture.Store.AnnotateList(list, _fixture.Name, platform => platform with { Variant = "v9" });

        FoundManifest member = Reader().FindMember(list, _fixture.Name);

        Assert.Equal((image.ManifestDigest, "v9"), (member.Descriptor.Digest, member.Descriptor.Platform!.Variant));
        Assert.Equal(Encoding.UTF8.GetString(_fixture.Store.ReadListBytes(list)), Encoding.UTF8.GetString((await Reader().FindAsync("multi:1", TestContext.Current.CancellationToken)).Content));
        Assert.Equal(ImageError.NotFound, Assert.Throws<ImageException>(() => Reader().FindMember(list, "other")).Kind);
    }

    private ManifestReader Reader() => new(_fixture.Store, FakeRegistry.Settings)
    {
        Retry = new RetryPolicy(1, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    };
}
