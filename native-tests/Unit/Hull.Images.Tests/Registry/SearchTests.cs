using System.Security.Cryptography.X509Certificates;
using Hull.Images.Registry;

namespace Hull.Images.Tests.Registry;

/// <summary>Search on fake servers: Docker Hub's API, and the catalog of a registry.</summary>
public sealed class SearchTests
{
    [Fact]
    public async Task Find_Words_AsksDockerHub()
    {
        using X509Certificate2 certificate = FakeRegistry.Certificate("index.docker.io");
        using FakeRegistry hub = new(certificate);
        using TemporaryDirectory certificates = new();
        certificates.Write("index.docker.io/ca.crt", certificate.ExportCertificatePem());
        hub.Intercept = _ => FakeResponse.Text(200, """
            {"num_results":2,"query":"a b","results":[{"name":"busybox","description":"small\nthings","is_official":true,"is_automated":false,"star_count":3000},{"name":"x/y"}]}
            """);
        RegistrySearch search = new(FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] })
        {
            Connect = FakeRegistry.Names(("index.docker.io", hub.Server.Port)),
            EnvironmentVariable = _ => null,
        };

        IReadOnlyList<FoundRepository> found = await search.FindAsync("a b", 25, TestContext.Current.CancellationToken);

        Assert.Equal([new("busybox", "small things", 3000, true, false), new("x/y", "", 0, false, false)], found);
        Assert.Equal("q=a%20b&n=25", Assert.Single(hub.Requests).Query);
    }

    [Fact]
    public async Task Find_RegistryBeforeTheSlash_ReadsItsCatalogPageByPage()
    {
        using FakeRegistry registry = new();
        registry.Intercept = request => !request.Path.EndsWith("/_catalog", StringComparison.Ordinal) ? null
            : request.Query.Contains("last", StringComparison.Ordinal) ? FakeResponse.Text(200, """{"repositories":["team/three","other","team/four"]}""")
            : FakeResponse.Text(200, """{"repositories":["team/one","two"]}""").With("Link", "</v2/_catalog?last=two>; rel=\"next\"");

        IReadOnlyList<FoundRepository> found = await Search().FindAsync($"{registry.Host}/team", 2, TestContext.Current.CancellationToken);

        Assert.Equal([$"{registry.Host}/team/one", $"{registry.Host}/team/three"], found.Select(one => one.Name));
    }

    [Fact]
    public async Task Find_CatalogRefused_SaysSo()
    {
        using FakeRegistry registry = new();
        registry.Intercept = request => request.Path.EndsWith("/_catalog", StringComparison.Ordinal)
            ? FakeResponse.Text(403, """{"errors":[{"code":"DENIED","message":"no"}]}""")
            : null;

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => Search().FindAsync($"{registry.Host}/team", 2, TestContext.Current.CancellationToken));

        Assert.Equal($"search {registry.Host}/team: denied: no", error.Message);
    }

    private static RegistrySearch Search() => new(FakeRegistry.Settings) { EnvironmentVariable = _ => null };
}
