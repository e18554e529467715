using System.Text;
using Hull.Oci.ImageSpec;

namespace Hull.Oci.Tests;

public sealed class ImageDocumentsTests
{
    private const string Zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    private const string Config = $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{Zeros}}","size":2}""";

    [Fact]
    public void ParseManifest_OciAndDocker_AreTheSame()
    {
        foreach (string type in new[] { MediaTypes.OciManifest, MediaTypes.DockerManifest })
        {
            ImageManifest manifest = Manifest($$$"""{"schemaVersion":2,"mediaType":"{{{type}}}","config":{{{Config}}},"layers":[{{{Config}}}],"unknown":{"deep":[1]}}""");

            Assert.Equal((type, 2, 1), (manifest.MediaType, (int)manifest.Config.Size, manifest.Layers.Count));
        }
    }

    [Theory]
    [InlineData("{\"schemaVersion\":1,\"fsLayers\":[]}", "not valid")]
    [InlineData("{\"schemaVersion\":2}", "not valid")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[]}", "is an index, not a manifest")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("", "not valid")]
    [InlineData("{\"schemaVersion\":2,\"config\":null,\"layers\":null}", "missing")]
    public void ParseManifest_Malformed_SaysWhat(string json, string expected) =>
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => Manifest(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("sha256:../../../../etc/passwd")]
    [InlineData("sha256:ABCDEF0000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256:00")]
    [InlineData("sha256:\\ud800")]
    [InlineData("sha512:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("")]
    public void CVE_2024_3727_DigestThatIsNone_IsRefused(string digest) =>
        Assert.Contains("digest", Assert.Throws<ImageSpecException>(
            () => Manifest($$"""{"schemaVersion":2,"config":{"digest":"{{digest}}","size":2},"layers":[]}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void CVE_2021_41190_ManifestThatIsAlsoAnIndex_IsRefused()
    {
        string both = $$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"manifests":[]}""";

        Assert.Contains("both", Assert.Throws<ImageSpecException>(() => Manifest(both)).Message, StringComparison.Ordinal);
        Assert.Contains("both", Assert.Throws<ImageSpecException>(() => ImageDocuments.ParseIndex(Encoding.UTF8.GetBytes(both), "d")).Message, StringComparison.Ordinal);
        Assert.Contains("both", Assert.Throws<ImageSpecException>(() => ImageDocuments.LooksLikeIndex(Encoding.UTF8.GetBytes(both), "d")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2021_41190_MediaTypeOfAnotherDocument_IsRefused() =>
        Assert.Contains("media type", Assert.Throws<ImageSpecException>(
            () => Manifest($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{Config}},"layers":[]}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void CVE_2017_11468_TooManyLayers_AreRefused()
    {
        string layers = string.Join(',', Enumerable.Repeat(Config, ImageDocuments.MaxLayers + 1));
        string diffIds = string.Join(',', Enumerable.Repeat($"\"{Zeros}\"", ImageDocuments.MaxLayers + 1));

        Assert.Contains("501 layers", Assert.Throws<ImageSpecException>(
            () => Manifest($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{layers}}]}""")).Message, StringComparison.Ordinal);
        Assert.Contains("501 layers", Assert.Throws<ImageSpecException>(
            () => ImageDocuments.ParseConfig(Encoding.UTF8.GetBytes($$$"""{"rootfs":{"diff_ids":[{{{diffIds}}}]}}"""), "c", out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2023_25153_HugeOrDeepDocument_IsRefused()
    {
        Assert.Contains("limit", Assert.Throws<ImageSpecException>(() => Manifest(new string(' ', ImageDocuments.MaxSize + 1))).Message, StringComparison.Ordinal);
        Assert.Throws<ImageSpecException>(() => Manifest("{\"annotations\":" + string.Concat(Enumerable.Repeat("{\"a\":", 1000))));
    }

    [Fact]
    public void CVE_2021_21285_NameThatIsNoText_IsRefused()
    {
        byte[] json = """{"schemaVersion":2,"\ud800":1}"""u8.ToArray();

        Assert.Contains("no Unicode", Assert.Throws<ImageSpecException>(() => ImageDocuments.ParseManifest(json, "m")).Message, StringComparison.Ordinal);
        Assert.Contains("no Unicode", Assert.Throws<ImageSpecException>(() => ImageDocuments.ParseIndex(json, "i")).Message, StringComparison.Ordinal);
        Assert.Contains("no Unicode", Assert.Throws<ImageSpecException>(() => ImageDocuments.LooksLikeIndex(json, "d")).Message, StringComparison.Ordinal);
        foreach (string member in new[] { "\"os\":\"\\ud800\"", "\"config\":{\"Labels\":{\"\\ud800\":\"\"}}" })
        {
            byte[] config = Encoding.UTF8.GetBytes("{\"rootfs\":{\"diff_ids\":[]}," + member + "}");
            Assert.Throws<ImageSpecException>(() => ImageDocuments.ParseConfig(config, "c", out _));
        }
    }

    [Fact]
    public void CVE_2021_21285_NullsInLists_AreRefused()
    {
        Assert.Contains("layers[0] is null", Assert.Throws<ImageSpecException>(
            () => Manifest($$"""{"schemaVersion":2,"config":{{Config}},"layers":[null]}""")).Message, StringComparison.Ordinal);
        Assert.Contains("manifests[0] is null", Assert.Throws<ImageSpecException>(
            () => ImageDocuments.ParseIndex("""{"schemaVersion":2,"manifests":[null]}"""u8, "d")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"history\":[{},null]", "history[1] is null")]
    [InlineData("\"config\":{\"Env\":[null]}", "config.Env[0] is null")]
    [InlineData("\"config\":{\"Entrypoint\":[\"sh\",null]}", "config.Entrypoint[1] is null")]
    [InlineData("\"config\":{\"Cmd\":[null]}", "config.Cmd[0] is null")]
    [InlineData("\"config\":{\"Shell\":[null]}", "config.Shell[0] is null")]
    [InlineData("\"config\":{\"OnBuild\":[null]}", "config.OnBuild[0] is null")]
    [InlineData("\"config\":{\"Healthcheck\":{\"Test\":[null]}}", "config.Healthcheck.Test[0] is null")]
    [InlineData("\"config\":{\"Labels\":{\"a\":null}}", "config.Labels[0] is null")]
    public void CVE_2024_36620_NullsInTheConfig_AreRefused(string member, string expected)
    {
        string json = $$$"""{"rootfs":{"diff_ids":[]},{{{member}}}}""";

        Assert.Contains(expected, Assert.Throws<ImageSpecException>(
            () => ImageDocuments.ParseConfig(Encoding.UTF8.GetBytes(json), "c", out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2024_36620_NullHistory_IsAnImageWithout() => Assert.Null(
        ImageDocuments.ParseConfig("""{"rootfs":{"diff_ids":[]},"history":null,"config":null}"""u8, "c", out _).History);

    [Fact]
    public void ParseConfig_DockersConfig_HasItsDefaults()
    {
        ImageConfig config = ImageDocuments.ParseConfig(
            Encoding.UTF8.GetBytes($$$"""
            {"created":"2024-09-26T21:31:42.123456789Z","architecture":"arm64","variant":"v8","os":"linux","os.version":"1",
             "config":{"User":"1:2","Env":["A=b"],"Entrypoint":null,"Cmd":["sh","-c","x"],"Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},
             "Labels":{"k":"v"},"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":30000000000},"StopSignal":"SIGINT"},
             "history":[{"created_by":"x","empty_layer":true}],"rootfs":{"type":"layers","diff_ids":["{{{Zeros}}}"]}}
            """),
            "config",
            out IReadOnlyList<Digest> diffIds);

        Assert.Equal(Zeros, Assert.Single(diffIds).ToString());
        Assert.Null(config.Defaults!.Entrypoint);
        Assert.Equal(["sh", "-c", "x"], config.Defaults.Cmd!);
        Assert.Equal(["80/tcp"], config.Defaults.ExposedPorts!.Keys);
        Assert.Equal(30_000_000_000, config.Defaults.Healthcheck!.Interval);
        Assert.Equal(2024, config.Created!.Value.Year);
        Assert.True(config.History![0].EmptyLayer);
    }

    [Fact]
    public void ChainId_Of_IsTheSpecsRecursion()
    {
        Digest a = Digest.Of("a"u8);
        Digest b = Digest.Of("b"u8);

        IReadOnlyList<Digest> chain = ChainId.Of([a, b]);

        Assert.Equal(a, chain[0]);
        Assert.Equal(Digest.Of(Encoding.ASCII.GetBytes($"{a} {b}")), chain[1]);
    }

    private static ImageManifest Manifest(string json) => ImageDocuments.ParseManifest(Encoding.UTF8.GetBytes(json), "manifest");
}
