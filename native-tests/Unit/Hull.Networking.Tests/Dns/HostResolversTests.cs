using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

public sealed class HostResolversTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-resolv-").FullName;
    private readonly string _path;
    private readonly HostResolvers _resolvers;

    public HostResolversTests()
    {
        _path = Path.Combine(_root, "resolv.conf");
        _resolvers = new HostResolvers(_path);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Current_FileUnchanged_IsTheSameObject()
    {
        File.WriteAllText(_path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");

        UpstreamSet first = _resolvers.Current();

        Assert.Equal("192.0.2.1 192.0.2.2", Servers());
        Assert.Same(first, _resolvers.Current());
        Assert.All(first.Servers, server => Assert.False(server.FromContainer));
    }

    [Fact]
    public void Current_RewrittenReplacedAndRemoved_IsWhatItSays()
    {
        Assert.Equal("", Servers());
        File.WriteAllText(_path, "nameserver 192.0.2.1\n");
        Assert.Equal("192.0.2.1", Servers());
        File.WriteAllText(_path, "nameserver 192.0.2.10\n");
        Assert.Equal("192.0.2.10", Servers());

        // As a VPN's client does: a file of the same length in its place.
        File.WriteAllText(_path + ".new", "nameserver 192.0.2.11\n");
        File.Move(_path + ".new", _path, overwrite: true);
        Assert.Equal("192.0.2.11", Servers());

        File.WriteAllText(Path.Combine(_root, "stub"), "nameserver 127.0.0.53\n");
        File.Delete(_path);
        File.CreateSymbolicLink(_path, "stub");
        Assert.Equal("127.0.0.53", Servers());

        File.Delete(_path);
        Assert.Equal("", Servers());
    }

    private string Servers() => string.Join(' ', _resolvers.Current().Servers.Select(server => server.Endpoint.Address));
}
