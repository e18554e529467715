using System.Net;
using Hull.Engine.Containers;
using Hull.Networking.Endpoints;

namespace Hull.Engine.Tests;

public sealed class ManagedFilesTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Write_Default_MakesThreeReadableFiles()
    {
        ContainerConfig config = _store.Add("web", host: new HostConfig { ExtraHosts = ["db:10.0.0.7", "v6:[2001:db8::1]", "eq=10.0.0.8"], Dns = ["10.0.0.1"], DnsSearch = ["example.org"], NetworkMode = "none" });
        string directory = _store.Paths.ContainerDirectory(config.Id);

        ManagedFiles.Write(directory, config);

        Assert.Equal(config.Id.Short + "\n", File.ReadAllText(directory + "/hostname"));
        string hosts = File.ReadAllText(directory + "/hosts");
        Assert.StartsWith("127.0.0.1\tlocalhost\n", hosts, StringComparison.Ordinal);
        Assert.EndsWith("10.0.0.7\tdb\n2001:db8::1\tv6\n10.0.0.8\teq\n", hosts, StringComparison.Ordinal);
        string resolv = File.ReadAllText(directory + "/resolv.conf");
        Assert.StartsWith("nameserver 10.0.0.1\nsearch example.org\n", resolv, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(directory + "/hosts"));
    }

    [Fact]
    public void Hosts_OfARunningContainer_NameItAndItsGateway()
    {
        ContainerNetworkState state = new()
        {
            Endpoints =
            [
                new Endpoint
                {
                    Id = "e", Network = "n", NetworkName = "net", Interface = "eth0",
                    IPv4 = IPAddress.Parse("10.0.0.2"), Gateway4 = IPAddress.Parse("10.0.0.1"), IPv6 = IPAddress.Parse("fd00::2"),
                },
            ],
        };

        string hosts = ManagedFiles.Hosts(new HostConfig { ExtraHosts = ["host.docker.internal:host-gateway"] }, "web", "example.org", state);

        Assert.EndsWith("10.0.0.1\thost.docker.internal\n10.0.0.2\tweb.example.org web\nfd00::2\tweb.example.org web\n", hosts, StringComparison.Ordinal);
        Assert.EndsWith("127.0.0.1\tgw\n", ManagedFiles.Hosts(new HostConfig { ExtraHosts = ["gw:host-gateway"], NetworkMode = "host" }), StringComparison.Ordinal);
        Assert.DoesNotContain("gw", ManagedFiles.Hosts(new HostConfig { ExtraHosts = ["gw:host-gateway"], NetworkMode = "none" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NetworkOfAContainer_MakesNone()
    {
        ContainerConfig config = _store.Add("web", host: new HostConfig { NetworkMode = "container:" + ContainerId.New().Hex });

        ManagedFiles.Write(_store.Paths.ContainerDirectory(config.Id), config);

        Assert.False(File.Exists(_store.Paths.ContainerDirectory(config.Id) + "/hosts"));
    }

    [Theory]
    [InlineData("none", null, "nameserver 192.0.2.1\nnameserver fe80::1%eth9\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("none", "127.0.0.1", "nameserver 127.0.0.1\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("bridge", null, "nameserver 127.0.0.11\nsearch b.example\noptions rotate ndots:0\n")]
    [InlineData(null, "192.0.2.9", "nameserver 127.0.0.11\nsearch b.example\noptions rotate ndots:0\n")]
    [InlineData("host", "192.0.2.9", "nameserver 192.0.2.9\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("host", null, null)]
    public void ResolvConf_OfTheHost_WithoutItsLoopbackServersInANetworkOfItsOwn(string? network, string? server, string? expected)
    {
        const string Own = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1%lo\nnameserver 192.0.2.1\nnameserver fe80::1%eth9\ndomain a.example\nsearch b.example\noptions ndots:2\noptions rotate\n";

        string text = ManagedFiles.ResolvConf(new HostConfig { NetworkMode = network, Dns = server is null ? null : [server] }, Own);

        Assert.Equal(expected ?? Own, text);
    }
}
