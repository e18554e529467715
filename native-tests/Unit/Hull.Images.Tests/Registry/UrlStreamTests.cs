using System.Security.Cryptography;
using System.Text;
using Hull.Images.Registry;

namespace Hull.Images.Tests.Registry;

/// <summary>Files from URLs: where they may come from, and how they end.</summary>
public sealed class UrlStreamTests : IDisposable
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(100_000);
    private readonly List<FakeServer> _servers = [];

    public void Dispose() => _servers.ForEach(server => server.Dispose());

    [Fact]
    public void Read_File_IsAllOfIt()
    {
        FakeServer server = Serve(_ => new FakeResponse(200, File));
        List<long> progress = [];

        using UrlStream stream = UrlStream.Open(new Uri($"http://{server.Authority}/a/root.tar?key=secret"), FakeRegistry.Settings, progress.Add, NoProxy, Cancel);

        Assert.Equal(File.Length, stream.Total);
        Assert.Equal(File, ReadAll(stream));
        Assert.Equal(File.Length, progress[^1]);
        Assert.Equal("?key=secret", "?" + server.Requests.Single().Query);
        Assert.Equal("http://host/a/root.tar", UrlStream.NameOf(new Uri("http://user:word@host/a/root.tar?key=secret")));
    }

    [Fact]
    public void Read_NoLength_EndsWithTheConnection()
    {
        FakeServer server = Serve(_ => new FakeResponse(200, File) { Unmeasured = true });

        using UrlStream stream = Open(server);

        Assert.Null(stream.Total);
        Assert.Equal(File, ReadAll(stream));
    }

    [Fact]
    public void Open_Redirect_IsFollowed_WithoutThePassword()
    {
        FakeServer target = Serve(_ => new FakeResponse(200, File));
        FakeServer server = Serve(request => request.Path == "/here"
            ? new FakeResponse(302, []).With("Location", $"http://{target.Authority}/there")
            : new FakeResponse(301, []).With("Location", "/here"));

        using UrlStream stream = UrlStream.Open(new Uri($"http://user:p%40ss@{server.Authority}/old"), FakeRegistry.Settings, _ => { }, NoProxy, Cancel);

        Assert.Equal(File, ReadAll(stream));
        string basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:p@ss"));
        Assert.Equal([basic, basic], server.Requests.Select(request => request.Authorization));
        Assert.Null(target.Requests.Single().Authorization);
    }

    [Theory]
    [InlineData(404, RegistryError.NotFound, "not found")]
    [InlineData(401, RegistryError.Unauthorized, "authentication required")]
    [InlineData(500, RegistryError.Server, "the server answered with status 500")]
    [InlineData(206, RegistryError.Server, "the server answered with status 206")]
    public void Open_NoFile_SaysWhatTheServerSays(int status, RegistryError kind, string words)
    {
        FakeServer server = Serve(_ => new FakeResponse(status, []));

        RegistryException error = Assert.Throws<RegistryException>(() => Open(server));

        Assert.Equal((kind, $"http://{server.Authority}/root.tar: {words}"), (error.Kind, error.Message));
    }

    [Fact]
    public void Read_ConnectionBreaks_SaysAfterHowMuch()
    {
        FakeServer server = Serve(_ => new FakeResponse(200, File) { CutAfter = 70_000 });
        using UrlStream stream = Open(server);

        RegistryException error = Assert.Throws<RegistryException>(() => ReadAll(stream));

        Assert.Matches("/root.tar: the connection broke off, after [0-9]+ of 100000 bytes$", error.Message);
    }

    [Fact]
    public void Read_Stalls_IsNoticed()
    {
        FakeServer server = Serve(_ => new FakeResponse(200, File) { StallAfter = 70_000 });
        using UrlStream stream = UrlStream.Open(
            new Uri($"http://{server.Authority}/root.tar"), FakeRegistry.Settings with { Timeout = TimeSpan.FromMilliseconds(300) }, _ => { }, NoProxy, Cancel);

        RegistryException error = Assert.Throws<RegistryException>(() => ReadAll(stream));

        Assert.Contains("the server sent nothing for 0.3 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PlainHttp_IsSpokenToTheHostThatWasTypedAlone()
    {
        // Through a proxy, so that other names than loopback's can be had here.
        FakeServer proxy = Serve(request => request.Path.Contains("first.example", StringComparison.Ordinal)
            ? new FakeResponse(302, []).With("Location", "http://second.example/root.tar")
            : new FakeResponse(200, File));

        RegistryException error = Assert.Throws<RegistryException>(() => UrlStream.Open(
            new Uri("http://first.example/root.tar"), FakeRegistry.Settings, _ => { }, name => name == "http_proxy" ? $"http://{proxy.Authority}" : null, Cancel));

        Assert.Contains("http: is refused for second.example (only https, or a host listed in insecure-registries)", error.Message, StringComparison.Ordinal);
        Assert.Single(proxy.Requests);
    }

    [Theory]
    [InlineData("https://host/x", true)]
    [InlineData("http://host/x", true)]
    [InlineData("ftp://host/x", false)]
    [InlineData("file:///x", false)]
    public void Handles_Scheme_WebAlone(string url, bool expected) => Assert.Equal(expected, UrlStream.Handles(new Uri(url)));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string? NoProxy(string name) => null;

    private static UrlStream Open(FakeServer server) =>
        UrlStream.Open(new Uri($"http://{server.Authority}/root.tar"), FakeRegistry.Settings, _ => { }, NoProxy, Cancel);

    private static byte[] ReadAll(UrlStream stream)
    {
        using MemoryStream copy = new();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private FakeServer Serve(Func<FakeRequest, FakeResponse> answer)
    {
        FakeServer server = new(answer);
        _servers.Add(server);
        return server;
    }
}
