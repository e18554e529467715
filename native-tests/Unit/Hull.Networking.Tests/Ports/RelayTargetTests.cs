using System.Net;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Records;

namespace Hull.Networking.Tests.Ports;

/// <summary>Which of a container's addresses the relay connects to, by the records on disk.</summary>
public sealed class RelayTargetTests : IDisposable
{
    private const string Container = "c0ffee";

    private readonly string _root = Directory.CreateTempSubdirectory("hull-target").FullName;
    private readonly HostNetworks _networks;

    public RelayTargetTests()
    {
        Directory.CreateDirectory(_root + "/run/containers/" + Container);
        _networks = new HostNetworks(_root + "/data", _root + "/run", static _ => true, Assert.Fail);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("10.1.0.2", "fd01::2", "10.1.0.2")]
    [InlineData(null, "fd01::2", "fd01::2")]
    [InlineData(null, null, null)]
    public void RelayTarget_Addresses_Ipv4IfThereIsOne(string? ipv4, string? ipv6, string? expected)
    {
        Write(EndpointOn(Network("web", isInternal: false), ipv4, ipv6));

        Assert.Equal(expected, _networks.RelayTarget(Container)?.ToString());
    }

    [Fact]
    public void RelayTarget_InternalNetworkOrNoLinkOfTheHost_IsNone()
    {
        Endpoint closed = EndpointOn(Network("closed", isInternal: true), "10.1.0.2", null);
        Endpoint macvlan = EndpointOn(Network("web", isInternal: false), "10.2.0.2", null) with { HostLink = null };
        Write(closed, macvlan);
        Assert.Null(_networks.RelayTarget(Container));

        Write(closed, macvlan, macvlan with { HostLink = "veth1", IPv4 = IPAddress.Parse("10.2.0.3") });
        Assert.Equal("10.2.0.3", _networks.RelayTarget(Container)?.ToString());
    }

    [Fact]
    public void RelayTarget_NotRunningOrNetworkGone_IsNone()
    {
        Assert.Null(_networks.RelayTarget(Container));
        Write(EndpointOn(new string('0', 64), "10.1.0.2", null));
        Assert.Null(_networks.RelayTarget(Container));
    }

    [Fact]
    public void RelayTarget_RecordDamaged_SaysSo()
    {
        File.WriteAllText($"{_root}/run/containers/{Container}/network.json", "{");

        Assert.Contains("is damaged", Assert.Throws<NetworkException>(() => _ = _networks.RelayTarget(Container)).Message, StringComparison.Ordinal);
    }

    private string Network(string name, bool isInternal) => _networks.Store.Create(new NetworkRequest { Name = name, Internal = isInternal }).Id;

    private static Endpoint EndpointOn(string network, string? ipv4, string? ipv6) => new()
    {
        Id = "e",
        Network = network,
        NetworkName = "web",
        Interface = "eth0",
        HostLink = "veth0",
        IPv4 = ipv4 is null ? null : IPAddress.Parse(ipv4),
        IPv6 = ipv6 is null ? null : IPAddress.Parse(ipv6),
    };

    private void Write(params Endpoint[] endpoints) =>
        File.WriteAllBytes($"{_root}/run/containers/{Container}/network.json", new ContainerNetworkState { Endpoints = endpoints }.Write().ToArray());
}
