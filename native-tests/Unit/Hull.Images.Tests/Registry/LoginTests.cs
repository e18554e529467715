using System.Text;
using System.Text.Json.Nodes;
using Hull.Images.Registry;

namespace Hull.Images.Tests.Registry;

/// <summary>Logins: checked by a fake registry, kept in a configuration directory of the test's own.</summary>
public sealed class LoginTests : IDisposable
{
    private const string Secret = "s3cret";
    private readonly TemporaryDirectory _home = new();
    private readonly FakeHelper _helper = new();

    public void Dispose() => _home.Dispose();

    private string File => Path.Combine(_home.Path, "config.json");

    [Fact]
    public async Task Login_BasicRegistry_IsKeptInDockersShape()
    {
        using FakePushTarget registry = Basic();

        string? plain = await Login().LoginAsync(registry.Host, "alice", Secret, TestContext.Current.CancellationToken);

        Assert.Equal(File, plain);
        Assert.Equal(
            $"{{\n\t\"auths\": {{\n\t\t\"{registry.Host}\": {{\n\t\t\t\"auth\": \"{Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Secret}"))}\"\n\t\t}}\n\t}}\n}}",
            System.IO.File.ReadAllText(File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Equal("alice", Login().UserOf(registry.Host));
        await Login().CheckAsync(registry.Host, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Login_WrongPassword_KeepsNothingAndTellsNoSecret()
    {
        using FakePushTarget registry = Basic();

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => Login().LoginAsync(registry.Host, "alice", "wr0ng", TestContext.Current.CancellationToken));

        Assert.Equal(RegistryError.Unauthorized, error.Kind);
        Assert.Equal($"login to {registry.Host}: authentication required", error.Message);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task Login_NobodyThere_IsUnreachable()
    {
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => Login().LoginAsync("127.0.0.1:1", "alice", Secret, TestContext.Current.CancellationToken));

        Assert.Equal("127.0.0.1:1 is unreachable: connection refused", error.Message);
    }

    [Fact]
    public async Task Login_TokenServerGivesALastingToken_IsKeptInsteadOfThePassword()
    {
        using FakePushTarget registry = new();
        registry.Intercept = request => request.Path switch
        {
            "/token" => FakeResponse.Text(200, """{"token":"short","refresh_token":"lasting"}"""),
            _ when request.Authorization == "Bearer short" => null,
            _ => new FakeResponse(401, []).With("WWW-Authenticate", $"Bearer realm=\"http://{registry.Host}/token\",service=\"x\""),
        };

        await Login().LoginAsync(registry.Host, "alice", Secret, TestContext.Current.CancellationToken);

        FakeRequest bought = Assert.Single(registry.Server.Requests, request => request.Path == "/token");
        Assert.Equal("service=x&account=alice&client_id=hull&offline_token=true", bought.Query);
        JsonNode entry = JsonNode.Parse(System.IO.File.ReadAllText(File))!["auths"]![registry.Host]!;
        Assert.Equal("lasting", (string?)entry["identitytoken"]);
        Assert.Equal("alice:", Encoding.UTF8.GetString(Convert.FromBase64String((string)entry["auth"]!)));

        await Login().CheckAsync(registry.Host, TestContext.Current.CancellationToken);
        Assert.Contains("grant_type=refresh_token", registry.Server.Requests.Last(request => request.Path == "/token").Body, StringComparison.Ordinal);
    }

    [Fact]
    public void Store_ForeignMembers_StayAsTheyAre()
    {
        _home.Write("config.json", """{"proxies":{"default":{"httpProxy":"http://p:1"} },"big":123456789012345678901234567890,"auths":{"a.example":{"auth":"YTpi","x":1}},"psFormat":"table {{.ID}} <é>"}""");

        Keeper().Store("b.example", new RegistryCredential.Password("u", "p"));

        Assert.Equal(
            "{\"proxies\":{\"default\":{\"httpProxy\":\"http://p:1\"}},\"big\":123456789012345678901234567890,"
                + "\"auths\":{\"a.example\":{\"auth\":\"YTpi\",\"x\":1},\"b.example\":{\"auth\":\"dTpw\"}},\"psFormat\":\"table{{.ID}}<é>\"}",
            System.IO.File.ReadAllText(File).Replace("\n", "", StringComparison.Ordinal).Replace("\t", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Store_OldUrlOfTheSameHost_IsReplaced()
    {
        _home.Write("config.json", """{"auths":{"https://r.example/v1/":{"auth":"YTpi"},"https://index.docker.io/v1/":{"auth":"YTpi"}}}""");

        Keeper().Store("r.example", new RegistryCredential.Password("u", "p"));
        Keeper().Store("docker.io", new RegistryCredential.Password("u", "q"));

        JsonObject auths = JsonNode.Parse(System.IO.File.ReadAllText(File))!["auths"]!.AsObject();
        Assert.Equal(["https://index.docker.io/v1/", "r.example"], auths.Select(entry => entry.Key).Order());
    }

    [Fact]
    public void Store_HelperIsSet_GetsTheSecretAlone()
    {
        _home.Write("config.json", """{"credsStore":"vault","credHelpers":{"own.example":"own"}}""");

        Assert.Null(Keeper().Store("docker.io", new RegistryCredential.Password("u", Secret)));
        Assert.Null(Keeper().Store("own.example", new RegistryCredential.IdentityToken("t0ken")));

        Assert.Equal(["store vault https://index.docker.io/v1/ u s3cret", "store own own.example <token> t0ken"], _helper.Calls);
        string kept = System.IO.File.ReadAllText(File);
        Assert.DoesNotContain(Secret, kept, StringComparison.Ordinal);
        Assert.Equal("{}", JsonNode.Parse(kept)!["auths"]!["https://index.docker.io/v1/"]!.ToJsonString());
    }

    [Fact]
    public void Store_HelperFails_ChangesNothing()
    {
        _home.Write("config.json", """{"credsStore":"vault"}""");
        _helper.Failure = "exit status 1: sealed";

        RegistryException error = Assert.Throws<RegistryException>(() => Keeper().Store("r.example", new RegistryCredential.Password("u", Secret)));

        Assert.Equal($"credentials for r.example: docker-credential-vault failed: exit status 1: sealed (it is named in {File})", error.Message);
        Assert.Equal("""{"credsStore":"vault"}""", System.IO.File.ReadAllText(File));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("""{"auths":[]}""")]
    [InlineData("""{"auths":{},"auths":{}}""")]
    public void Store_MalformedFile_IsNamedAndLeft(string content)
    {
        _home.Write("config.json", content);

        RegistryException error = Assert.Throws<RegistryException>(() => Keeper().Store("r.example", new RegistryCredential.Password("u", Secret)));

        Assert.Equal(RegistryError.Configuration, error.Kind);
        Assert.StartsWith(File + ": ", error.Message, StringComparison.Ordinal);
        Assert.Equal(content, System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void Store_FileIsALink_StaysOne()
    {
        string real = Path.Combine(_home.Path, "real.json");
        System.IO.File.WriteAllText(real, "");
        System.IO.File.CreateSymbolicLink(File, real);

        Keeper().Store("r.example", new RegistryCredential.Password("u", "p"));

        Assert.Equal(real, new FileInfo(File).LinkTarget);
        Assert.Contains("dTpw", System.IO.File.ReadAllText(real), StringComparison.Ordinal);
    }

    [Fact]
    public void Store_ManyAtOnce_KeepsAll()
    {
        Parallel.For(0, 40, i => Keeper().Store($"r{i}.example", new RegistryCredential.Password("u", "p")));

        Assert.Equal(40, JsonNode.Parse(System.IO.File.ReadAllText(File))!["auths"]!.AsObject().Count);
        Assert.Equal([File], Directory.GetFiles(_home.Path));
    }

    [Fact]
    public void Store_LeftoverOfAKill_IsRemoved()
    {
        _home.Write("new-1-1-config.json", "secret");

        Keeper().Store("r.example", new RegistryCredential.Password("u", "p"));

        Assert.Equal([File], Directory.GetFiles(_home.Path));
    }

    [Fact]
    public void Erase_KnownAndUnknown_TellsWhich()
    {
        _home.Write("config.json", """{"auths":{"https://r.example/v1/":{"auth":"YTpi"},"o.example":{"auth":"YTpi"}},"x":1}""");

        Assert.True(Keeper().Erase("r.example"));
        Assert.False(Keeper().Erase("r.example"));

        Assert.Equal("""{"auths":{"o.example":{"auth":"YTpi"}},"x":1}""", JsonNode.Parse(System.IO.File.ReadAllText(File))!.ToJsonString());
    }

    [Fact]
    public void Erase_HelperHasIt_IsErasedThereToo()
    {
        _home.Write("config.json", """{"credsStore":"vault","auths":{"r.example":{}}}""");
        _helper.Kept = "r.example";

        Assert.True(Keeper().Erase("r.example"));

        Assert.Equal(["get vault r.example", "erase vault r.example"], _helper.Calls);
        Assert.Equal("""{"credsStore":"vault","auths":{}}""", JsonNode.Parse(System.IO.File.ReadAllText(File))!.ToJsonString());
    }

    [Theory]
    [InlineData(null, "docker.io")]
    [InlineData("docker.io", "docker.io")]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("https://r.example/v2/", "r.example")]
    [InlineData("localhost:5000", "localhost:5000")]
    [InlineData("[::1]:5000", "[::1]:5000")]
    public void DomainOf_WhatUsersType_IsTheNamesDomain(string? typed, string domain) => Assert.Equal(domain, RegistryLogin.DomainOf(typed));

    [Theory]
    [InlineData("alice")]
    [InlineData("r.example:x")]
    [InlineData("")]
    public void DomainOf_NoRegistry_IsRefused(string typed) =>
        Assert.Equal(RegistryError.Configuration, Assert.Throws<RegistryException>(() => RegistryLogin.DomainOf(typed)).Kind);

    /// <summary>A registry that wants alice and the secret.</summary>
    private static FakePushTarget Basic()
    {
        string right = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Secret}"));
        return new FakePushTarget
        {
            Intercept = request => request.Authorization == right ? null : new FakeResponse(401, []).With("WWW-Authenticate", "Basic realm=\"x\""),
        };
    }

    private RegistryLogin Login() => new(FakeRegistry.Settings with { DockerConfigDirectory = _home.Path })
    {
        EnvironmentVariable = _ => null,
        Helper = _helper,
    };

    private CredentialKeeper Keeper() => new(_home.Path, _helper);

    private sealed class FakeHelper : ICredentialHelper
    {
        public List<string> Calls { get; } = [];

        public string? Failure { get; set; }

        public string? Kept { get; set; }

        public CredentialHelperResult Get(string helper, string server) =>
            Note($"get {helper} {server}", server == Kept ? new CredentialHelperResult("u", Secret, null) : default);

        public CredentialHelperResult Store(string helper, string server, string user, string secret) =>
            Note($"store {helper} {server} {user} {secret}", default);

        public CredentialHelperResult Erase(string helper, string server) => Note($"erase {helper} {server}", default);

        private CredentialHelperResult Note(string call, CredentialHelperResult result)
        {
            Calls.Add(call);
            return Failure is null ? result : new CredentialHelperResult(null, null, Failure);
        }
    }
}
