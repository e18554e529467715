using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hull.Images.Registry;

namespace Hull.Images.Tests.Registry;

/// <summary>Tokens, passwords, and who gets them.</summary>
public sealed class AuthenticationTests
{
    private const string Basic = "Basic dXNlcjpwYXNz";

    [Fact]
    public async Task Resolve_BearerChallenge_BuysOneTokenForTheRepository()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1", "amd64", "a", "b");
        registry.Intercept = Token(registry, "abc.def");
        using ClientFixture fixture = new($"{registry.Host}/team/app:1");

        await fixture.ResolveAsync();

        FakeRequest token = Assert.Single(registry.Requests, r => r.Path == "/token");
        Assert.Equal("service=fake&scope=repository%3Ateam%2Fapp%3Apull", token.Query);
        Assert.Null(token.Authorization);
        Assert.Equal("Bearer abc.def", registry.Requests.Last().Authorization);
    }

    [Fact]
    public async Task Resolve_PasswordInConfig_GoesToTheTokenServerOnly()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        registry.Intercept = Token(registry, "abc");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        await fixture.ResolveAsync();

        Assert.All(registry.Requests, request => Assert.Equal(
            request.Path == "/token" ? Basic : request.Authorization is null ? null : "Bearer abc", request.Authorization));
        Assert.Equal(Basic, registry.Requests.Single(r => r.Path == "/token").Authorization);
    }

    [Fact]
    public async Task Resolve_BasicChallenge_SendsThePassword()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        registry.Intercept = request => request.Authorization == Basic ? null : Challenge("Basic realm=\"x\"");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        Assert.Single((await fixture.ResolveAsync()).DiffIds);
        Assert.Single(registry.Requests, r => r.Authorization is null);
    }

    [Fact]
    public async Task Resolve_WrongPassword_IsUnauthorizedWithoutTheSecret()
    {
        using FakeRegistry registry = new();
        registry.Intercept = _ => FakeResponse.Text(401, """{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""")
            .With("WWW-Authenticate", "Basic realm=\"x\"");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal((RegistryError.Unauthorized, 401, "UNAUTHORIZED"), (error.Kind, error.Status, error.Code));
        Assert.Equal(
            $"pull access denied for {registry.Host}/app, repository does not exist or may require a login: unauthorized: authentication required "
            + $"(credentials are read from {config.Path}/config.json)",
            error.Message);
        Assert.DoesNotContain("dXNlcjpwYXNz", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, registry.Requests.Count());
    }

    [Fact]
    public async Task Resolve_TokenServerRefusesPassword_NamesServerAndFile()
    {
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Path == "/token"
            ? FakeResponse.Text(401, """{"details":"incorrect username or password"}""")
            : Challenge($"Bearer realm=\"http://{registry.Host}/token\"");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Unauthorized, error.Kind);
        Assert.Contains("incorrect username, password or token", error.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_TokenRunsOut_IsBoughtAgain()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        int token = 0;
        registry.Intercept = request => request.Path == "/token"
            ? FakeResponse.Text(200, $$"""{"access_token":"t{{++token}}","expires_in":3600}""")
            : request.Path.Contains("/blobs/", StringComparison.Ordinal) && request.Authorization == "Bearer t1" || request.Authorization is null
                ? Challenge($"Bearer realm=\"http://{registry.Host}/token\",service=\"fake\",error=\"invalid_token\"")
                : null;
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        Assert.Single((await fixture.ResolveAsync()).DiffIds);
        Assert.Equal(2, token);
    }

    [Fact]
    public async Task Resolve_IdentityToken_IsExchangedByPost()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1");
        registry.Intercept = Token(registry, "abc");
        using TemporaryDirectory config = new();
        config.Write("config.json", $"{{\"auths\":{{\"{registry.Host}\":{{\"auth\":\"PHRva2VuPjo=\",\"identitytoken\":\"refresh+me\"}}}}}}");
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        await fixture.ResolveAsync();

        FakeRequest token = registry.Requests.Single(r => r.Path == "/token");
        Assert.Equal("POST", token.Method);
        Assert.Contains("refresh_token=refresh%2Bme", token.Body, StringComparison.Ordinal);
        Assert.Contains("grant_type=refresh_token", token.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"token\":\"\"}")]
    [InlineData("{\"token\":\"a\\r\\nX-Evil: 1\"}")]
    [InlineData("not json")]
    public async Task Resolve_TokenServerAnswersNonsense_IsAnError(string body)
    {
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Path == "/token"
            ? FakeResponse.Text(200, body)
            : Challenge($"Bearer realm=\"http://{registry.Host}/token\"");
        using ClientFixture fixture = new($"{registry.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Server, error.Kind);
        Assert.Contains("answered without a token", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2026_33540_RealmOnAnotherHost_GetsNoPassword()
    {
        X(out X509Certificate2 certificate, "registry.example", "evil.test");
        using FakeRegistry evil = new(certificate);
        evil.Intercept = _ => FakeResponse.Text(200, """{"token":"abc"}""");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");
        registry.Intercept = request => request.Authorization is null ? Challenge("Bearer realm=\"https://evil.test/token\"") : null;
        using TemporaryDirectory config = new();
        config.WriteLogins("registry.example", "evil.test");
        RegistrySettings settings = FakeRegistry.Settings with { InsecureRegistries = ["registry.example", "evil.test"] };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings,
            FakeRegistry.Names(("registry.example", registry.Server.Port), ("evil.test", evil.Server.Port)), config.Path);

        await fixture.ResolveAsync();

        Assert.NotEmpty(evil.Requests);
        Assert.All(evil.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task CVE_2026_33540_RealmNamedInTheSettings_GetsThePassword()
    {
        X(out X509Certificate2 certificate, "registry.example", "auth.test");
        using FakeRegistry auth = new(certificate);
        auth.Intercept = _ => FakeResponse.Text(200, """{"token":"abc"}""");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");
        registry.Intercept = request => request.Authorization is null ? Challenge("Bearer realm=\"https://auth.test/token\"") : null;
        using TemporaryDirectory config = new();
        config.WriteLogins("registry.example");
        RegistrySettings settings = FakeRegistry.Settings with
        {
            InsecureRegistries = ["registry.example", "auth.test"],
            TrustedTokenServers = new Dictionary<string, IReadOnlyList<string>> { ["registry.example"] = ["auth.test"] },
        };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings,
            FakeRegistry.Names(("registry.example", registry.Server.Port), ("auth.test", auth.Server.Port)), config.Path);

        await fixture.ResolveAsync();

        Assert.Equal(Basic, Assert.Single(auth.Requests).Authorization);
    }

    [Fact]
    public async Task CVE_2026_33540_PlainHttpRealm_IsRefused()
    {
        X(out X509Certificate2 certificate, "registry.example");
        using FakeRegistry registry = new(certificate);
        registry.Intercept = _ => Challenge("Bearer realm=\"http://auth.registry.example/token\"");
        using TemporaryDirectory config = new();
        config.WriteLogins("registry.example");
        RegistrySettings settings = FakeRegistry.Settings with { InsecureRegistries = ["registry.example"] };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings,
            FakeRegistry.Names(("registry.example", registry.Server.Port)), config.Path);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("http: is refused for auth.registry.example", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CVE_2026_33540_TokenServerRedirects_IsNotFollowed()
    {
        using FakeRegistry evil = new();
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Path == "/token"
            ? FakeResponse.Text(302, "").With("Location", $"http://{evil.Host}/steal")
            : Challenge($"Bearer realm=\"http://{registry.Host}/token\"");
        using TemporaryDirectory config = new();
        config.WriteLogins(registry.Host);
        using ClientFixture fixture = new($"{registry.Host}/app:1", dockerConfig: config.Path);

        await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Empty(evil.Requests);
    }

    [Fact]
    public async Task CVE_2014_5277_HttpsFailure_IsNeverRetriedOverHttp()
    {
        using FakeRegistry plain = new();
        plain.AddImage("1");
        int port = plain.Server.Port;
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), connect: FakeRegistry.Names(("registry.example", port)));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Equal(RegistryError.Unreachable, error.Kind);
        Assert.StartsWith("registry.example:443 is unreachable: TLS", error.Message, StringComparison.Ordinal);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task CVE_2019_10214_RedirectFromHttpsToHttp_IsRefused()
    {
        X(out X509Certificate2 certificate, "registry.example");
        using FakeRegistry registry = new(certificate);
        registry.Intercept = request => FakeResponse.Text(302, "").With("Location", "http://other.example/" + request.Path);
        RegistrySettings settings = FakeRegistry.Settings with { InsecureRegistries = ["registry.example"] };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings, FakeRegistry.Names(("registry.example", registry.Server.Port)));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Contains("redirects from https to http://other.example, which is refused", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_UnknownAuthority_IsRefusedUntilCertsDHasIt()
    {
        X(out X509Certificate2 certificate, "registry.example");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");
        using TemporaryDirectory certificates = new();
        RegistrySettings settings = FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] };
        ConnectStream connect = FakeRegistry.Names(("registry.example", registry.Server.Port));
        using ClientFixture untrusted = new("registry.example/app:1", new Uri("https://registry.example/"), settings, connect);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => untrusted.ResolveAsync());
        Assert.StartsWith("registry.example:443 is unreachable: TLS", error.Message, StringComparison.Ordinal);

        certificates.Write("registry.example/ca.crt", certificate.ExportCertificatePem());
        using ClientFixture trusted = new("registry.example/app:1", new Uri("https://registry.example/"), settings, connect);
        Assert.Single((await trusted.ResolveAsync()).DiffIds);
    }

    [Fact]
    public async Task Tls_CertificateForAnotherName_IsRefusedThoughItsAuthorityIsKnown()
    {
        X(out X509Certificate2 certificate, "other.example");
        using FakeRegistry registry = new(certificate);
        using TemporaryDirectory certificates = new();
        certificates.Write("registry.example/ca.crt", certificate.ExportCertificatePem());
        RegistrySettings settings = FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings, FakeRegistry.Names(("registry.example", registry.Server.Port)));

        await Assert.ThrowsAsync<RegistryException>(() => fixture.ResolveAsync());

        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task Tls_LoopbackWithCertsD_IsVerified()
    {
        X(out X509Certificate2 certificate, "127.0.0.1");
        X(out X509Certificate2 other, "127.0.0.1");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");
        using TemporaryDirectory certificates = new();
        certificates.Write($"{registry.Host}/ca.crt", other.ExportCertificatePem());
        RegistrySettings settings = FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] };
        Uri url = new($"https://{registry.Host}/");
        using ClientFixture wrong = new($"{registry.Host}/app:1", url, settings);
        await Assert.ThrowsAsync<RegistryException>(() => wrong.ResolveAsync());

        using ClientFixture unverified = new($"{registry.Host}/app:1", url);
        Assert.Single((await unverified.ResolveAsync()).DiffIds);
    }

    [Fact]
    public async Task Tls_ClientPairInCertsD_IsPresented()
    {
        X(out X509Certificate2 certificate, "registry.example");
        X(out X509Certificate2 client, "client.example");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");
        using TemporaryDirectory certificates = new();
        certificates.Write("registry.example/ca.crt", certificate.ExportCertificatePem());
        certificates.Write("registry.example/client.cert", client.ExportCertificatePem());
        using ECDsa key = client.GetECDsaPrivateKey()!;
        certificates.Write("registry.example/client.key", ExportKey(key));
        RegistrySettings settings = FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] };
        using ClientFixture fixture = new(
            "registry.example/app:1", new Uri("https://registry.example/"), settings, FakeRegistry.Names(("registry.example", registry.Server.Port)));

        await fixture.ResolveAsync();

        Assert.Equal("CN=client.example", registry.Server.ClientSubject);
    }

    [Fact]
    public void Tls_GarbageInCertsD_NamesTheFile()
    {
        using TemporaryDirectory certificates = new();
        string file = certificates.Write("registry.example/ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

        RegistryException error = Assert.Throws<RegistryException>(() => CertificateDirectory.Find([certificates.Path], "registry.example"));

        Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
    }

    private static string ExportKey(ECDsa key)
    {
        // A key out of a PKCS#12 file is exportable only in encrypted form on some platforms.
        byte[] encrypted = key.ExportEncryptedPkcs8PrivateKey(
            "x", new PbeParameters(
                PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1));
        using ECDsa copy = ECDsa.Create();
        copy.ImportEncryptedPkcs8PrivateKey("x", encrypted, out _);
        return copy.ExportPkcs8PrivateKeyPem();
    }

    private static Func<FakeRequest, FakeResponse?> Token(FakeRegistry registry, string token) => request =>
        request.Path == "/token" ? FakeResponse.Text(200, $$"""{"token":"{{token}}","expires_in":300}""")
        : request.Authorization == $"Bearer {token}" ? null
        : Challenge($"Bearer realm=\"http://{registry.Host}/token\",service=\"fake\"");

    private static FakeResponse Challenge(string header) => FakeResponse
        .Text(401, """{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""")
        .With("WWW-Authenticate", header);

    private static void X(out X509Certificate2 certificate, params string[] names) =>
        certificate = FakeRegistry.Certificate(names);
}

/// <summary>Docker's config.json and credential helpers.</summary>
public sealed class CredentialStoreTests
{
    [Theory]
    [InlineData("docker.io", "https://index.docker.io/v1/")]
    [InlineData("registry.example:5000", "registry.example:5000")]
    [InlineData("registry.example:5000", "https://registry.example:5000/v1/")]
    [InlineData("registry.example", "http://registry.example")]
    public void Find_Auths_ByDomain(string domain, string key)
    {
        using TemporaryDirectory config = new();
        config.WriteLogins(key);

        RegistryCredential? found = new CredentialStore(config.Path).Find(domain);

        Assert.Equal(new RegistryCredential.Password("user", "pass"), found);
        Assert.Equal("password", found!.ToString());
        Assert.Null(new CredentialStore(config.Path).Find("other.example"));
    }

    [Fact]
    public void Find_NoFile_IsAnonymous()
    {
        Assert.Null(new CredentialStore(null).Find("docker.io"));
        Assert.Null(new CredentialStore("/nonexistent").Find("docker.io"));
    }

    [Fact]
    public void Find_MalformedAuth_NamesFileAndEntryWithoutTheSecret()
    {
        using TemporaryDirectory config = new();
        config.Write("config.json", """{"auths":{"a.example":{"auth":"c2VjcmV0"}}}""");

        RegistryException error = Assert.Throws<RegistryException>(() => new CredentialStore(config.Path).Find("a.example"));

        Assert.Equal($"{config.Path}/config.json: auths.\"a.example\".auth is not base64 of user:password", error.Message);
    }

    [Fact]
    public void Find_HelperForTheRegistry_WinsOverStoreAndAuths()
    {
        using TemporaryDirectory config = new();
        config.Write("config.json", """
            {"credsStore":"general","credHelpers":{"a.example":"special"},"auths":{"a.example":{"auth":"dXNlcjpwYXNz"},"b.example":{}}}
            """);
        List<string> asked = [];
        CredentialStore store = new(config.Path, (helper, server) =>
        {
            asked.Add($"{helper} {server}");
            return helper == "special" ? new CredentialHelperResult("<token>", "refresh", null) : default;
        });

        Assert.Equal(new RegistryCredential.IdentityToken("refresh"), store.Find("a.example"));
        Assert.Null(store.Find("b.example"));
        Assert.Null(store.Find("docker.io"));
        Assert.Null(store.Find("docker.io"));
        Assert.Equal(["special a.example", "general b.example", "general https://index.docker.io/v1/"], asked);
    }

    [Fact]
    public void CVE_2021_41092_FailingHelper_AbortsAndNeverFallsThrough()
    {
        using TemporaryDirectory config = new();
        config.Write("config.json", """{"credHelpers":{"a.example":"broken"},"auths":{"a.example":{"auth":"dXNlcjpwYXNz"}}}""");
        CredentialStore store = new(config.Path, (_, _) => new CredentialHelperResult(null, null, "exit status 1: locked"));

        RegistryException error = Assert.Throws<RegistryException>(() => store.Find("a.example"));

        Assert.Contains("docker-credential-broken failed: exit status 1: locked", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CVE_2021_41092_MissingHelperProgram_Aborts()
    {
        using TemporaryDirectory config = new();
        config.Write("config.json", """{"credsStore":"hull-test-does-not-exist","auths":{"a.example":{"auth":"dXNlcjpwYXNz"}}}""");

        RegistryException error = Assert.Throws<RegistryException>(() => new CredentialStore(config.Path).Find("a.example"));

        Assert.Contains("docker-credential-hull-test-does-not-exist failed: cannot start: there is no such program in PATH", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("a b")]
    [InlineData("")]
    public void CVE_2021_41092_HelperThatIsNoName_IsRefused(string helper)
    {
        using TemporaryDirectory config = new();
        config.Write("config.json", $"{{\"credHelpers\":{{\"a.example\":\"{helper}\"}}}}");
        CredentialStore store = new(config.Path, (_, _) => throw new InvalidOperationException("was run"));

        Assert.Throws<RegistryException>(() => store.Find("a.example"));
    }

    [Fact]
    public void Get_HelperProgram_IsGivenTheServerOnStandardInput()
    {
        using TemporaryDirectory bin = new();
        string program = bin.Write("docker-credential-hulltest", "#!/bin/sh\nread -r server\necho \"{\\\"ServerURL\\\":\\\"x\\\",\\\"Username\\\":\\\"$1\\\",\\\"Secret\\\":\\\"$server\\\"}\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string? path = Environment.GetEnvironmentVariable("PATH");
        Environment.SetEnvironmentVariable("PATH", $"{bin.Path}:{path}");
        try
        {
            Assert.Equal(new CredentialHelperResult("get", "a.example:5000", null), new CredentialHelper().Get("hulltest", "a.example:5000"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", path);
        }
    }

    [Theory]
    [InlineData(1, "credentials not found in native keychain\n", "", null)]
    [InlineData(1, "", "vault\u001b sealed", "exit status 1: vault  sealed")]
    [InlineData(0, "nonsense", "", "its output is not JSON")]
    [InlineData(0, "{\"Username\":\"u\"}", "", "its output names no Username and Secret")]
    public void Read_HelperOutput_IsAnAnswerOrAFailure(int exitCode, string output, string errors, string? failure)
    {
        Assert.Equal(new CredentialHelperResult(null, null, failure), CredentialHelper.Read(exitCode, output, errors));
    }
}
