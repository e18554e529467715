using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>From a reference to the documents of one image.</summary>
public sealed class ManifestTests
{
    [Fact]
    public async Task Resolve_Tag_GivesManifestAndConfig()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "one", "two");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        ResolvedImage resolved = await fixture.ResolveAsync();

        Assert.Equal(image.Manifest, resolved.Root.Digest);
        Assert.Equal(image.Layers, resolved.Manifest.Layers.Select(l => l.Digest));
        Assert.Equal(2, resolved.DiffIds.Count);
        Assert.Contains(FakeRegistry.OciIndex, registry.Requests.First().Headers["Accept"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux/arm64", "arm64")]
    [InlineData("linux/amd64", "amd64")]
    public async Task Resolve_Index_ChoosesThePlatform(string platform, string architecture)
    {
        using FakeRegistry registry = new();
        FakeImage amd = registry.AddImage(null, "amd64", "a");
        FakeImage arm = registry.AddImage(null, "arm64", "b");
        string index = Index((amd, "linux", "amd64", null), (arm, "linux", "arm64", "v8"), (amd, "unknown", "unknown", null));
        Digest digest = registry.AddManifest(index, FakeRegistry.OciIndex, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        ResolvedImage resolved = await fixture.ResolveAsync(platform);

        Assert.Equal(digest, resolved.Root.Digest);
        Assert.Equal(digest, Assert.Single(resolved.Indexes).Digest);
        Assert.Equal(architecture, resolved.Config.Architecture);
    }

    [Fact]
    public async Task Resolve_IndexWithoutThePlatform_ListsWhatThereIs()
    {
        using FakeRegistry registry = new();
        FakeImage amd = registry.AddImage(null, "amd64", "a");
        registry.AddManifest(Index((amd, "linux", "amd64", null), (amd, "windows", "amd64", null)), FakeRegistry.OciIndex, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync("linux/s390x"));

        Assert.Equal(RegistryError.Unsupported, error.Kind);
        Assert.Equal(
            $"no matching manifest for linux/s390x in the manifest list entries of {registry.Host}/app:1 (there is: linux/amd64, windows/amd64)",
            error.Message);
    }

    [Fact]
    public async Task Resolve_SingleImageForAnotherPlatform_IsRefusedOnlyWhereAsked()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1", "arm64");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Equal("arm64", (await fixture.ResolveAsync()).Config.Architecture);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync("linux/amd64"));
        Assert.Contains("does not match the specified platform: wanted linux/amd64, actual: linux/arm64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_UnknownTag_NamesTheReference()
    {
        using FakeRegistry registry = new();
        using ClientFixture fixture = new($"{registry.Host}/app:nope");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal($"manifest for {registry.Host}/app:nope not found: manifest unknown: manifest unknown", error.Message);
        Assert.Equal(
            (RegistryError.NotFound, "GET", $"http://{registry.Host}/v2/app/manifests/nope", 404, "MANIFEST_UNKNOWN"),
            (error.Kind, error.Method, error.Url, error.Status, error.Code));
    }

    [Fact]
    public async Task Resolve_Denied_HintsAtTypoOrLogin()
    {
        using FakeRegistry registry = new();
        registry.Intercept = _ => FakeResponse.Text(403, """{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}""");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Unauthorized, error.Kind);
        Assert.Equal(
            $"pull access denied for {registry.Host}/app, repository does not exist or may require a login: denied: requested access to the resource is denied",
            error.Message);
    }

    [Fact]
    public async Task Resolve_RateLimited_SaysSoAndWhen()
    {
        using FakeRegistry registry = new();
        registry.Intercept = _ => FakeResponse
            .Text(429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}""")
            .With("Retry-After", "3600");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.RateLimited, error.Kind);
        Assert.Equal(
            $"pull {registry.Host}/app:1: toomanyrequests: You have reached your pull rate limit. "
            + $"({registry.Host} limits the rate of requests; try again in 3600 s or log in for a higher limit)",
            error.Message);
        Assert.Single(registry.Requests);
    }

    [Fact]
    public async Task Resolve_RateLimitedForAMoment_WaitsAsAsked()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        int refusals = 2;
        registry.Intercept = _ => refusals-- > 0 ? FakeResponse.Text(429, "").With("Retry-After", "0") : null;
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Single((await fixture.ResolveAsync()).DiffIds);
    }

    [Fact]
    public async Task Resolve_ServerFailsTwice_IsAskedAgain()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        int failures = 2;
        registry.Intercept = _ => failures-- switch { 2 => FakeResponse.Text(503, "busy", "text/plain"), 1 => new FakeResponse(200, []) { Drop = true }, _ => null };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Single((await fixture.ResolveAsync()).DiffIds);
    }

    [Fact]
    public async Task Resolve_ServerKeepsFailing_GivesUpWithItsStatus()
    {
        using FakeRegistry registry = new();
        registry.Intercept = _ => FakeResponse.Text(500, "<html>\u001b[31mno</html>", "text/html");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal((RegistryError.Server, 500), (error.Kind, error.Status));
        Assert.Equal(3, registry.Requests.Count());
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Fact]
    public async Task Resolve_Unreachable_NamesHostPortAndCause()
    {
        using ClientFixture fixture = new("127.0.0.1:1/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal((RegistryError.Unreachable, "127.0.0.1:1 is unreachable: connection refused"), (error.Kind, error.Message));
    }

    [Fact]
    public async Task Resolve_ServerSilent_EndsInTime()
    {
        using ManualResetEventSlim forever = new();
        using FakeRegistry registry = new();
        registry.Intercept = _ =>
        {
            forever.Wait(5000);
            return null;
        };
        using ClientFixture fixture = new($"{registry.Host}/app:1", silence: TimeSpan.FromMilliseconds(100));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        forever.Set();
        Assert.Equal(RegistryError.Unreachable, error.Kind);
        Assert.Contains("no answer for 0.1 s (a slow network may need more: HULL_REGISTRY_TIMEOUT", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resolve_DocumentBreaksOff_IsAskedForAgain(bool stalls)
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        byte[] manifest = System.Text.Encoding.UTF8.GetBytes(image.Json);
        int broken = 2;
        registry.Intercept = request => request.Path.Contains("/manifests/", StringComparison.Ordinal) && broken-- > 0
            ? new FakeResponse(200, manifest, FakeRegistry.OciManifest) { CutAfter = 50, StallAfter = stalls ? 50 : null }
            : null;
        using ClientFixture fixture = new($"{registry.Host}/app:1", silence: TimeSpan.FromMilliseconds(300));

        Assert.Single((await fixture.ResolveAsync()).DiffIds);

        broken = 3;
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());
        Assert.Contains(stalls ? "sent nothing for 0.3 s" : "broke off", error.Message, StringComparison.Ordinal);
        Assert.Equal(RegistryError.Unreachable, error.Kind);
    }

    [Fact]
    public async Task Resolve_ByDigestOtherContent_IsADigestMismatch()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        registry.Corrupt(image.Manifest, System.Text.Encoding.UTF8.GetBytes(image.Json + " "));
        using ClientFixture fixture = new($"{registry.Host}/app@{image.Manifest}");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Corrupt, error.Kind);
        Assert.Contains($"digest mismatch: expected {image.Manifest}, got sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_OtherConfigContent_IsADigestMismatch()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        byte[] other = new byte[(await ConfigOf(registry, image)).ConfigContent.Length];
        registry.Corrupt(image.Config, other);
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains($"config {image.Config}: digest mismatch", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", """{"schemaVersion":1,"fsLayers":[]}""")]
    [InlineData("application/json", """{"schemaVersion":1,"fsLayers":[]}""")]
    public async Task Resolve_Schema1_IsRefusedClearly(string contentType, string document)
    {
        using FakeRegistry registry = new();
        registry.AddManifest(document, contentType, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Unsupported, error.Kind);
        Assert.Contains("retired schema 1 format", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_Artifact_IsNoContainerImage()
    {
        using FakeRegistry registry = new();
        Digest config = registry.AddBlob("{}"u8.ToArray());
        registry.AddManifest(
            $$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{{config}}","size":2},"layers":[]}""",
            FakeRegistry.OciManifest, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal($"{registry.Host}/app:1 is no container image but an artifact of type application/vnd.cncf.helm.config.v1+json", error.Message);
    }

    [Fact]
    public async Task CVE_2021_41190_GHSA_xmmx_7jpf_fx42_DocumentThatIsManifestAndIndex_IsRefused()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        string both = image.Json.Insert(1, "\"manifests\":[],");
        foreach (string contentType in new[] { FakeRegistry.OciManifest, FakeRegistry.OciIndex })
        {
            registry.AddManifest(both.Replace($"\"mediaType\":\"{FakeRegistry.OciManifest}\",\"config\"", "\"config\"", StringComparison.Ordinal), contentType, "1");
            using ClientFixture fixture = new($"{registry.Host}/app:1");

            ImageSpecException error = await Assert.ThrowsAsync<ImageSpecException>(() => fixture.ResolveAsync());

            Assert.Contains("both a manifest and an index", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task CVE_2021_41190_GHSA_5j5w_g665_5m35_ContentTypeOtherThanMediaType_IsRefused()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        registry.AddManifest(image.Json, "application/vnd.docker.distribution.manifest.v2+json", "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Corrupt, error.Kind);
        Assert.Contains("refused as ambiguous", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    public async Task CVE_2021_41190_NoMediaTypeAnywhere_IsRefused(string? contentType)
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        registry.AddManifest(image.Json.Replace($"\"mediaType\":\"{FakeRegistry.OciManifest}\",\"config\"", "\"config\"", StringComparison.Ordinal), contentType, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("its media type is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2021_41190_GHSA_qq97_vm5h_rrhg_IndexEntryOfAnotherType_IsRefused()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        string index = Index((image, "linux", "amd64", null)).Replace(FakeRegistry.OciManifest, "application/vnd.docker.distribution.manifest.v2+json", StringComparison.Ordinal);
        registry.AddManifest(index, FakeRegistry.OciIndex, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Corrupt, error.Kind);
    }

    [Theory]
    [InlineData("sha256:../../../etc/passwd")]
    [InlineData("sha256:ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789")]
    [InlineData("sha256:abc")]
    [InlineData("sha256:")]
    public async Task CVE_2024_3727_InvalidDigestInManifest_IsRefusedBeforeAnyRequest(string digest)
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        registry.AddManifest(image.Json.Replace(image.Layers[0].ToString(), digest, StringComparison.Ordinal), FakeRegistry.OciManifest, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        await Assert.ThrowsAsync<ImageSpecException>(() => fixture.ResolveAsync());

        Assert.Single(registry.Requests);
    }

    [Fact]
    public async Task CVE_2017_11468_HugeManifest_IsNotRead()
    {
        using FakeRegistry registry = new();
        byte[] huge = new byte[ImageDocuments.MaxSize + 1];
        registry.Intercept = _ => new FakeResponse(200, huge, FakeRegistry.OciManifest) { Unmeasured = true };
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("sent more than the 4194304 bytes allowed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2017_11468_HugeConfig_IsNotFetched()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        string size = System.Text.RegularExpressions.Regex.Replace(image.Json, $"({image.Config}\",\"size\":)[0-9]+", "${1}99999999999");
        registry.AddManifest(size, FakeRegistry.OciManifest, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        await Assert.ThrowsAsync<ImageSpecException>(() => fixture.ResolveAsync());

        Assert.Single(registry.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"schemaVersion\":2}")]
    [InlineData("{\"schemaVersion\":2,\"config\":null,\"layers\":null}")]
    [InlineData("{\"schemaVersion\":2,\"layers\":[null]}")]
    public async Task CVE_2021_21285_MalformedManifest_IsAnErrorInWords(string document)
    {
        using FakeRegistry registry = new();
        registry.AddManifest(document, FakeRegistry.OciManifest, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => fixture.ResolveAsync());

        Assert.True(error is RegistryException or ImageSpecException, error.ToString());
    }

    /// <summary>Half a surrogate pair, and a byte that is no UTF-8: the reader accepts both and fails when the text is asked for.</summary>
    [Theory]
    [InlineData("\"mediaType\":\"\\ud800\"")]
    [InlineData("\"mediaType\":\"\u00ff\"")]
    [InlineData("\"media\\ud800\":1")]
    public void CVE_2021_21285_TextThatIsNone_IsAnErrorInWords(string member)
    {
        byte[] document = System.Text.Encoding.Latin1.GetBytes($$"""{"schemaVersion":2,{{member}},"layers":[]}""");

        RegistryException error = Assert.Throws<RegistryException>(() => ManifestMediaType.Determine(FakeRegistry.OciManifest, document, "manifest x"));

        Assert.Equal((RegistryError.Corrupt, "manifest x: not valid JSON: a name or text in it is no Unicode"), (error.Kind, error.Message));
    }

    [Fact]
    public async Task CVE_2021_21285_LayersAndDiffIdsDiffer_IsRefused()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        int start = image.Json.IndexOf("\"layers\":[", StringComparison.Ordinal) + 10;
        string layer = image.Json[start..^2];
        registry.AddManifest(image.Json.Insert(start, layer + ","), FakeRegistry.OciManifest, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("the manifest has 2 layers, the configuration 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_IndexInIndexWithoutEnd_IsRefused()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);
        string index = Index((image, "linux", "amd64", null));
        for (int depth = 0; depth < 5; depth++)
        {
            Digest digest = registry.AddManifest(index, FakeRegistry.OciIndex, "1");
            index = $$"""
                {"schemaVersion":2,"mediaType":"{{FakeRegistry.OciIndex}}","manifests":[{"mediaType":"{{FakeRegistry.OciIndex}}","digest":"{{digest}}","size":{{index.Length}},"platform":{"os":"linux","architecture":"amd64"} }]}
                """;
        }

        registry.AddManifest(index, FakeRegistry.OciIndex, "1");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("nested deeper", error.Message, StringComparison.Ordinal);
    }

    private static async Task<ResolvedImage> ConfigOf(FakeRegistry registry, FakeImage image)
    {
        using ClientFixture fixture = new($"{registry.Host}/app@{image.Manifest}");
        return await fixture.ResolveAsync();
    }

    private static string Index(params (FakeImage Image, string Os, string Architecture, string? Variant)[] entries)
    {
        IEnumerable<string> manifests = entries.Select(e => $$"""
            {"mediaType":"{{FakeRegistry.OciManifest}}","digest":"{{e.Image.Manifest}}","size":{{e.Image.Json.Length}},"platform":{"os":"{{e.Os}}","architecture":"{{e.Architecture}}"{{(e.Variant is null ? "" : $",\"variant\":\"{e.Variant}\"")}}} }
            """);
        return $$"""{"schemaVersion":2,"mediaType":"{{FakeRegistry.OciIndex}}","manifests":[{{string.Join(',', manifests)}}]}""";
    }
}
