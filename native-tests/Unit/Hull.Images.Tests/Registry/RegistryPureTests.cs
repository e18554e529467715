using System.Text;
using Hull.Images.Registry;

namespace Hull.Images.Tests.Registry;

/// <summary>What needs no server: challenges, settings, endpoints, proxies, realms, plain progress.</summary>
public sealed class RegistryPureTests
{
    [Fact]
    public void Parse_BearerChallenge_HasItsParameters()
    {
        AuthChallenge challenge = Assert.Single(AuthChallenge.Parse(
            ["Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull,push\""]));

        Assert.True(challenge.IsBearer);
        Assert.Equal("https://auth.docker.io/token", challenge["realm"]);
        Assert.Equal("registry.docker.io", challenge["SERVICE"]);
        Assert.Equal("repository:a/b:pull,push", challenge["scope"]);
    }

    [Fact]
    public void Parse_TwoChallengesOnOneLine_AreTwo()
    {
        IReadOnlyList<AuthChallenge> challenges = AuthChallenge.Parse(["Basic realm=\"a \\\"b\\\", c\", Bearer realm=x , service = \"y\"", "Negotiate"]);

        Assert.Equal(["Basic", "Bearer", "Negotiate"], challenges.Select(c => c.Scheme));
        Assert.Equal("a \"b\", c", challenges[0]["realm"]);
        Assert.Equal("y", challenges[1]["service"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"")]
    [InlineData(",,,")]
    [InlineData("Bearer realm=\"unclosed")]
    [InlineData("Bearer =x")]
    public void Parse_Garbage_DoesNotThrow(string header)
    {
        Assert.All(AuthChallenge.Parse([header]), challenge => Assert.Null(challenge["realm"]));
    }

    [Fact]
    public void Parse_RealmTwice_FirstWins()
    {
        AuthChallenge challenge = Assert.Single(AuthChallenge.Parse(["Bearer realm=\"https://a/\",realm=\"https://b/\""]));

        Assert.Equal("https://a/", challenge["realm"]);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:5000", true)]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("127.8.9.1", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("[::ffff:127.0.0.1]:5000", true)]
    [InlineData("localhost.example:5000", false)]
    [InlineData("127.0.0.1.example", false)]
    [InlineData("10.1.2.3:5000", true)]
    [InlineData("11.1.2.3:5000", false)]
    [InlineData("plain.example:80", true)]
    [InlineData("plain.example:81", false)]
    [InlineData("all.example:81", true)]
    [InlineData("sub.all.example", false)]
    public void IsInsecure_Authority_OnlyLoopbackAndConfigured(string authority, bool expected)
    {
        RegistrySettings settings = new() { InsecureRegistries = ["10.0.0.0/8", "plain.example:80", "all.example"] };

        Assert.Equal(expected, settings.IsInsecure(authority));
    }

    [Theory]
    [InlineData("http://plain.example:80/", "plain.example:80", true)]
    [InlineData("http://plain.example/", "plain.example:80", true)]
    [InlineData("https://plain.example/", "plain.example:80", false)]
    [InlineData("https://plain.example/", "plain.example:443", true)]
    public void IsInsecure_UrlWithImpliedPort_IsTheEntryWithThePort(string url, string entry, bool expected)
    {
        Assert.Equal(expected, (FakeRegistry.Settings with { InsecureRegistries = [entry] }).IsInsecure(new Uri(url)));
    }

    [Theory]
    [InlineData("registry.example", "registry.example", true)]
    [InlineData("registry.example", "registry.example:443", true)]
    [InlineData("registry.example:443", "registry.example", true)]
    [InlineData("registry.example:5000", "registry.example", false)]
    [InlineData("[::1]", "[::1]:443", true)]
    public void HasCertificates_ImpliedPort_MayBeLeftOut(string authority, string directory, bool expected)
    {
        using TemporaryDirectory certificates = new();
        Directory.CreateDirectory(Path.Combine(certificates.Path, directory));
        using RegistryTransport transport = new(FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] }, null, _ => null);

        Assert.Equal(expected, transport.HasCertificates(authority));
    }

    [Fact]
    public void CVE_2014_5277_Endpoints_PlainHttpOnlyWhereAllowed()
    {
        static string[] For(string domain, bool certificates = false) =>
            [.. RegistryEndpoint.For(domain, FakeRegistry.Settings, _ => certificates).Select(e => e.Base.AbsoluteUri)];

        Assert.Equal(["https://registry.example/"], For("registry.example"));
        Assert.Equal(["https://registry.example:80/"], For("registry.example:80"));
        Assert.Equal(["https://localhost:5000/", "http://localhost:5000/"], For("localhost:5000"));
        Assert.Equal(["https://localhost:5000/"], For("localhost:5000", certificates: true));
        Assert.Equal(["https://registry-1.docker.io/"], For("docker.io"));
    }

    [Fact]
    public void Endpoints_Mirror_StandsBeforeDockerHubOnly()
    {
        RegistrySettings settings = FakeRegistry.Settings with { Mirrors = [new Uri("http://mirror.example/cache")] };

        Assert.Equal(
            ["http://mirror.example/cache/v2/library/a/manifests/1", "https://registry-1.docker.io/v2/library/a/manifests/1"],
            RegistryEndpoint.For("docker.io", settings, _ => false).Select(e => e.Url("library/a/manifests/1").AbsoluteUri));
        Assert.Equal(["https://quay.io/"], RegistryEndpoint.For("quay.io", settings, _ => false).Select(e => e.Base.AbsoluteUri));
    }

    [Fact]
    public void Load_FileAndEnvironment_AddUp()
    {
        using TemporaryDirectory directory = new();
        string file = directory.Write("config.json", """
            {"insecure-registries":["10.0.0.0/8"],"registry-mirrors":["https://m1.example"],"trusted-token-servers":{"r.example":["t.example"]},"registry-timeout":"5m","registry-attempts":7,"data-root":"/x"}
            """);
        Dictionary<string, string> environment = new()
        {
            ["HULL_CONFIG"] = file,
            ["HULL_INSECURE_REGISTRIES"] = "a.example:5000, b.example",
            ["HULL_REGISTRY_MIRRORS"] = "http://m2.example:8080",
            ["HULL_CERTS_DIR"] = "/certs",
            ["HULL_REGISTRY_ATTEMPTS"] = "3",
            ["HOME"] = "/home/me",
        };

        RegistrySettings settings = RegistrySettings.Load(environment.GetValueOrDefault);

        Assert.Equal(["10.0.0.0/8", "a.example:5000", "b.example"], settings.InsecureRegistries);
        Assert.Equal(["m1.example", "m2.example:8080"], settings.Mirrors.Select(m => m.Authority));
        Assert.Equal(["t.example"], settings.TrustedTokenServers["r.example"]);
        Assert.Equal(["/certs", "/etc/hull/certs.d", "/etc/docker/certs.d"], settings.CertificateDirectories);
        Assert.Equal("/home/me/.docker", settings.DockerConfigDirectory);
        Assert.Equal((TimeSpan.FromMinutes(5), 3), (settings.Timeout, settings.Attempts));
        Assert.Equal((TimeSpan.FromSeconds(60), 5), (new RegistrySettings().Timeout, new RegistrySettings().Attempts));
    }

    [Theory]
    [InlineData("{\"insecure-registries\": [1]}", "line 1")]
    [InlineData("{", "not valid JSON")]
    [InlineData("{\"insecure-registries\":[\"http://a\"]}", "expected host")]
    [InlineData("{\"insecure-registries\":[\"10.0.0.0/99\"]}", "10.0.0.0/99")]
    [InlineData("{\"registry-mirrors\":[\"mirror.example\"]}", "expected a URL")]
    [InlineData("{\"registry-timeout\":\"soon\"}", "registry timeout 'soon': expected a duration up to 24h, such as 60s or 5m")]
    [InlineData("{\"registry-timeout\":\"0s\"}", "registry timeout '0s'")]
    [InlineData("{\"registry-timeout\":\"25h\"}", "registry timeout '25h'")]
    [InlineData("{\"registry-attempts\":0}", "registry attempts '0': expected a number from 1 to 100")]
    public void Load_MalformedFile_SaysWhatAndWhere(string content, string words)
    {
        using TemporaryDirectory directory = new();
        string file = directory.Write("config.json", content);

        RegistryException error = Assert.Throws<RegistryException>(
            () => RegistrySettings.Load(name => name == "HULL_CONFIG" ? file : null));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://registry.example/v2/", "http://proxy.example:3128/")]
    [InlineData("http://registry.example/v2/", "http://plain.example:3128/")]
    [InlineData("https://localhost:5000/", null)]
    [InlineData("http://127.0.0.1:5000/", null)]
    [InlineData("https://inside.example/", null)]
    [InlineData("https://a.inside.example/", null)]
    [InlineData("https://notinside.example/", "http://proxy.example:3128/")]
    [InlineData("https://dot.example/", "http://proxy.example:3128/")]
    [InlineData("https://a.dot.example/", null)]
    [InlineData("https://10.1.2.3/", null)]
    [InlineData("https://192.0.2.7/", null)]
    [InlineData("https://port.example:5000/", null)]
    [InlineData("https://port.example/", "http://proxy.example:3128/")]
    public void GetProxy_ByEnvironment_FollowsTheUsualRules(string url, string? proxy)
    {
        Dictionary<string, string> environment = new()
        {
            ["HTTPS_PROXY"] = "http://proxy.example:3128",
            ["http_proxy"] = "plain.example:3128",
            ["NO_PROXY"] = "inside.example, .dot.example,10.0.0.0/8,192.0.2.7,port.example:5000",
        };

        Assert.Equal(proxy, new EnvironmentProxy(environment.GetValueOrDefault).GetProxy(new Uri(url))?.AbsoluteUri);
    }

    [Theory]
    [InlineData("https://registry-1.docker.io/", "https://auth.docker.io/token", true)]
    [InlineData("https://registry.gitlab.com/", "https://gitlab.com/jwt/auth", true)]
    [InlineData("https://ghcr.io/", "https://ghcr.io/token", true)]
    [InlineData("https://ghcr.io/", "https://auth.ghcr.io/token", true)]
    [InlineData("https://registry.example:5000/", "https://registry.example:5001/auth", true)]
    [InlineData("http://localhost:5000/", "http://127.0.0.1:5001/auth", true)]
    [InlineData("https://registry.example/", "http://registry.example/auth", false)]
    [InlineData("https://registry.victim.example/", "https://evil.example/token", false)]
    [InlineData("https://ghcr.io/", "https://evil.io/token", false)]
    [InlineData("https://registry.co.uk/", "https://evil.co.uk/token", false)]
    [InlineData("https://registry.example/", "https://evilregistry.example/token", false)]
    [InlineData("https://10.0.0.1/", "https://10.0.0.2/token", false)]
    [InlineData("https://localhost:5000/", "https://evil.example/token", false)]
    public void CVE_2026_33540_Realm_IsOwnOnlyInTheRegistrysDomain(string registry, string realm, bool own)
    {
        Assert.Equal(own, RegistryAuthenticator.IsOwnRealm(new Uri(registry), new Uri(realm)));
    }

    [Theory]
    [InlineData("""{"registry-mirrors":["https://m.example"]}""", "https://m.example/", "")]
    [InlineData("""{"registry-mirrors":{"docker.io":["https://m.example"],"quay.io":["https://q.example/cache"]}}""", "https://m.example/", "https://q.example/cache")]
    [InlineData("{}", "", "")]
    public void Load_Mirrors_OfDockerHubAndByRegistry(string json, string hub, string quay)
    {
        using TemporaryDirectory directory = new();
        directory.Write("config.json", json);

        RegistrySettings settings = RegistrySettings.Load(name => name == "HULL_CONFIG" ? $"{directory.Path}/config.json" : null);

        Assert.Equal(hub, string.Join(' ', settings.MirrorsOf("docker.io")));
        Assert.Equal(quay, string.Join(' ', settings.MirrorsOf("quay.io")));
    }

    [Theory]
    [InlineData("""{"registry-mirrors":"https://m.example"}""")]
    [InlineData("""{"registry-mirrors":{"quay.io":"https://m.example"}}""")]
    [InlineData("""{"registry-mirrors":{"quay.io":[1]}}""")]
    [InlineData("""{"registry-mirrors":{"quay.io":["m.example"]}}""")]
    public void Load_MirrorsOfAnotherForm_AreRefused(string json)
    {
        using TemporaryDirectory directory = new();
        directory.Write("config.json", json);

        RegistryException error = Assert.Throws<RegistryException>(
            () => RegistrySettings.Load(name => name == "HULL_CONFIG" ? $"{directory.Path}/config.json" : null));

        Assert.Equal(RegistryError.Configuration, error.Kind);
    }

    [Fact]
    public void PlainLines_OfAPullAndAPush_AreDockers()
    {
        StringWriter output = new();
        PlainTransferProgress progress = new(output);
        progress.Message("latest: Pulling from library/busybox");
        foreach (TransferPhase phase in Enum.GetValues<TransferPhase>())
        {
            progress.Layer(new LayerProgress("0123456789ab", phase, 1, 2) { Wait = TimeSpan.FromSeconds(2), From = "library/busybox" });
            progress.Layer(new LayerProgress("0123456789ab", phase, 2, 2) { Wait = TimeSpan.FromSeconds(1) });
        }

        Assert.Equal(
            """
            latest: Pulling from library/busybox
            0123456789ab: Pulling fs layer
            0123456789ab: Retrying in 2 seconds
            0123456789ab: Retrying in 1 second
            0123456789ab: Verifying Checksum
            0123456789ab: Download complete
            0123456789ab: Pull complete
            0123456789ab: Already exists
            0123456789ab: Preparing
            0123456789ab: Pushed
            0123456789ab: Layer already exists
            0123456789ab: Mounted from library/busybox
            0123456789ab: Skipped foreign layer

            """,
            output.ToString());
    }

    [Fact]
    public void Redact_SignedUrl_LosesUserAndQuery()
    {
        Assert.Equal(
            "https://cdn.example:8443/blob/x",
            RegistryException.Redact(new Uri("https://user:pass@cdn.example:8443/blob/x?X-Amz-Signature=secret#f")));
    }

    [Fact]
    public void Determine_TypesDisagree_IsRefused()
    {
        byte[] index = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{FakeRegistry.OciIndex}}","manifests":[]}""");

        Assert.Equal(FakeRegistry.OciIndex, ManifestMediaType.Determine(FakeRegistry.OciIndex, index, "manifest"));
        Assert.Equal(FakeRegistry.OciIndex, ManifestMediaType.Determine("application/json", index, "manifest"));
        Assert.Equal(FakeRegistry.OciIndex, ManifestMediaType.Determine(null, index, "manifest"));
        RegistryException error = Assert.Throws<RegistryException>(() => ManifestMediaType.Determine(FakeRegistry.OciManifest, index, "manifest"));
        Assert.Equal(RegistryError.Corrupt, error.Kind);
    }
}

/// <summary>A directory of one test, removed with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hull-registry-").FullName;

    public string Write(string name, string content)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Docker's config.json with user <c>user</c> and password <c>pass</c> for each host.</summary>
    public void WriteLogins(params string[] hosts) =>
        Write("config.json", "{\"auths\":{" + string.Join(',', hosts.Select(host => $"\"{host}\":{{\"auth\":\"dXNlcjpwYXNz\"}}")) + "}}");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
