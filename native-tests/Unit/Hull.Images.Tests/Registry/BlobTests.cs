using System.Security.Cryptography;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>Downloads that are cut, resumed, redirected or lied about.</summary>
public sealed class BlobTests
{
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(100_000);

    [Fact]
    public async Task Read_WholeBlob_IsWhatWasStored()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Equal(_content, await fixture.ReadAsync(descriptor));
    }

    [Fact]
    public async Task Read_ConnectionBreaks_ResumesWhereItEnded()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = request => request.Headers.ContainsKey("Range") ? null : FakeRegistry.Blob(_content, request) with { CutAfter = 40_000 };
        using ClientFixture fixture = new($"{registry.Host}/app:1");
        List<TimeSpan> retries = [];

        Assert.Equal(_content, await fixture.ReadAsync(descriptor, retries));

        Assert.Equal(["bytes=40000-"], registry.Requests.Where(r => r.Headers.ContainsKey("Range")).Select(r => r.Headers["Range"]));
        Assert.Single(retries);
    }

    [Fact]
    public async Task Read_ConnectionStalls_ResumesWhereItEnded()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = request => request.Headers.ContainsKey("Range") ? null : FakeRegistry.Blob(_content, request) with { StallAfter = 40_000 };
        using ClientFixture fixture = new($"{registry.Host}/app:1", silence: TimeSpan.FromMilliseconds(300));
        List<TimeSpan> retries = [];

        Assert.Equal(_content, await fixture.ReadAsync(descriptor, retries));

        Assert.Equal(["bytes=40000-"], registry.Requests.Where(r => r.Headers.ContainsKey("Range")).Select(r => r.Headers["Range"]));
        Assert.Single(retries);
    }

    [Fact]
    public async Task Read_AlwaysStalls_SaysWhereAndWhatToDo()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = _ => new FakeResponse(200, _content) { StallAfter = 1000 };
        using ClientFixture fixture = new($"{registry.Host}/app:1", silence: TimeSpan.FromMilliseconds(100));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Equal(RegistryError.Unreachable, error.Kind);
        Assert.Equal(
            $"layer {descriptor.Digest.Short} stalled after 1000 of 100000 bytes: {registry.Host} sent nothing for 0.1 s "
                + "(a slow network may need more: HULL_REGISTRY_TIMEOUT, or registry-timeout in /etc/hull/config.json)",
            error.Message);
        Assert.Equal(3, registry.Requests.Count());
    }

    [Fact]
    public async Task Read_NeverAnswered_IsAskedAsOftenAsTheSettingSays()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        using ManualResetEventSlim forever = new();
        registry.Intercept = _ =>
        {
            forever.Wait(5000);
            return null;
        };
        using ClientFixture fixture = new($"{registry.Host}/app:1", silence: TimeSpan.FromMilliseconds(300));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        // The server may come to read a request after the client has given up on it.
        SpinWait.SpinUntil(() => registry.Requests.Count() == 3, 5000);
        forever.Set();
        Assert.StartsWith($"layer {descriptor.Digest.Short}: {registry.Host} is unreachable: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(", after 0 of 100000 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, registry.Requests.Count());
    }

    [Fact]
    public async Task Read_ServerWithoutRanges_IsReadAgainFromTheStart()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        int cut = 60_000;
        registry.Intercept = _ =>
        {
            FakeResponse response = new(200, _content) { CutAfter = cut == 0 ? null : cut };
            cut = 0;
            return response;
        };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Equal(_content, await fixture.ReadAsync(descriptor));
    }

    [Fact]
    public async Task Read_AlwaysCutAtTheSamePlace_IsTruncated()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = _ => new FakeResponse(200, _content) { CutAfter = 1000 };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Equal(RegistryError.Corrupt, error.Kind);
        Assert.Equal($"layer {descriptor.Digest.Short} is truncated: 1000 of 100000 bytes came from {registry.Host}", error.Message);
        Assert.Equal(3, registry.Requests.Count());
    }

    [Fact]
    public async Task Read_ShorterInTheRegistry_IsTruncatedAtOnce()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Corrupt(descriptor.Digest, _content[..500]);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Equal($"layer {descriptor.Digest.Short} is truncated in the registry: 500 of 100000 bytes", error.Message);
        Assert.Single(registry.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_LongerThanTheDescriptor_IsRefused(bool unmeasured)
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = _ => new FakeResponse(200, [.. _content, 1]) { Unmeasured = unmeasured };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Contains("size mismatch: the manifest says 100000 bytes, the registry sends", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_UnmeasuredBlob_IsWholeOrTruncated()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = _ => new FakeResponse(200, _content) { Unmeasured = true };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Equal(_content, await fixture.ReadAsync(descriptor));

        registry.Intercept = _ => new FakeResponse(200, _content[..10]) { Unmeasured = true };
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));
        Assert.Contains("is truncated: 10 of 100000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_WrongRange_IsRefused()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = request => request.Headers.ContainsKey("Range")
            ? new FakeResponse(206, _content[10..]).With("Content-Range", "bytes 10-99999/100000")
            : new FakeResponse(200, _content) { CutAfter = 1000 };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Contains("asked for bytes from 1000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_MissingBlob_NamesLayerAndCode()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Remove(descriptor.Digest);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Equal(
            (RegistryError.NotFound, "BLOB_UNKNOWN", $"layer {descriptor.Digest.Short}: blob unknown: blob unknown to registry"),
            (error.Kind, error.Code, error.Message));
    }

    [Fact]
    public async Task Redirect_ToAnotherHost_CarriesNoCredentials()
    {
        using FakeRegistry cdn = new();
        Descriptor descriptor = Add(cdn);
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Authorization is null
            ? FakeResponse.Text(401, "").With("WWW-Authenticate", "Basic realm=\"x\"")
            : FakeResponse.Text(307, "").With("Location", $"http://{cdn.Host}/v2/app/blobs/{descriptor.Digest}?X-Amz-Signature=secret");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        Assert.Equal(_content, await fixture.ReadAsync(descriptor));

        FakeRequest followed = Assert.Single(cdn.Requests);
        Assert.Null(followed.Authorization);
        Assert.Equal("Basic dXNlcjpwYXNz", registry.Requests.Last().Authorization);
    }

    [Fact]
    public async Task Redirect_HostAsksForCredentials_GetsNone()
    {
        using FakeRegistry evil = new();
        evil.Intercept = _ => FakeResponse.Text(401, "").With("WWW-Authenticate", "Basic realm=\"x\"");
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = request => FakeResponse.Text(302, "").With("Location", $"http://{evil.Host}/x?secret=1");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host, evil.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.All(evil.Requests, request => Assert.Null(request.Authorization));
        Assert.Equal(RegistryError.Unauthorized, error.Kind);
        Assert.Equal($"http://{evil.Host}/x", error.Url);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirect_WithoutEnd_IsRefused()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Intercept = request => FakeResponse.Text(302, "").With("Location", request.Path);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor));

        Assert.Contains("redirects without end", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2020_15157_ForeignLayerUrl_GetsNoAuthorization()
    {
        using FakeRegistry foreign = new();
        Descriptor descriptor = Add(foreign) with { Urls = ["ftp://x/", $"http://{foreign.Host}/v2/app/blobs/{Digest.Of(_content)}"] };
        foreign.Intercept = request => request.Path == "/ask" ? FakeResponse.Text(401, "").With("WWW-Authenticate", "Basic realm=\"x\"") : null;
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Authorization is null
            ? FakeResponse.Text(401, "").With("WWW-Authenticate", "Basic realm=\"x\"")
            : null;
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host, foreign.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        Assert.Equal(_content, await fixture.ReadAsync(descriptor));
        await Assert.ThrowsAsync<RegistryException>(() => fixture.ReadAsync(descriptor with { Urls = [$"http://{foreign.Host}/ask"] }));

        Assert.Equal(2, foreign.Requests.Count());
        Assert.All(foreign.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task CVE_2020_15157_ForeignLayerUrlOverPlainHttp_IsRefused()
    {
        using FakeRegistry registry = new();
        Descriptor descriptor = Add(registry);
        registry.Remove(descriptor.Digest);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => fixture.ReadAsync(descriptor with { Urls = ["http://169.254.169.254/latest/meta-data"] }));

        Assert.Contains("http: is refused for 169.254.169.254", error.Message, StringComparison.Ordinal);
    }

    private Descriptor Add(FakeRegistry registry) => new() { MediaType = FakeRegistry.OciLayer, Digest = registry.AddBlob(_content), Size = _content.Length };
}
