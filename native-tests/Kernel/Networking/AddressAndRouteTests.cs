using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Hull.Kernel.Tests.Harness;
using Hull.Linux;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Addresses and routes set over rtnetlink, as ip(8) sees them.</summary>
public sealed class AddressAndRouteTests : IDisposable
{
    private readonly TestNamespace _host = new();
    private readonly Rtnetlink _links;
    private readonly int _link;

    public AddressAndRouteTests()
    {
        _links = Rtnetlink.Open(_host.Namespace);
        _links.AddLink(new LinkSettings { Name = "d0", Up = true }, new BridgeKind());
        _link = _links.GetLink("d0").Index;
    }

    public void Dispose()
    {
        _links.Dispose();
        _host.Dispose();
    }

    [KernelFact(Needs.Links)]
    public void AddAddress_BothFamilies_ServeAtOnce()
    {
        Assert.True(_links.AddAddress(_link, IPAddress.Parse("172.30.1.1"), 20));
        Assert.True(_links.AddAddress(_link, IPAddress.Parse("fd00:30::1"), 64));
        Assert.False(_links.AddAddress(_link, IPAddress.Parse("172.30.1.1"), 20));
        Assert.False(_links.AddAddress(_link, IPAddress.Parse("fd00:30::1"), 64));

        JsonElement[] seen = [.. _host.IpOne("address", "show", "d0").GetProperty("addr_info").EnumerateArray()];
        JsonElement four = seen.Single(entry => entry.GetProperty("local").GetString() == "172.30.1.1");
        JsonElement six = seen.Single(entry => entry.GetProperty("local").GetString() == "fd00:30::1");
        Assert.Equal(("172.30.15.255", 20), (four.GetProperty("broadcast").GetString(), four.GetProperty("prefixlen").GetInt32()));
        Assert.True(six.GetProperty("nodad").GetBoolean());
        Assert.False(six.TryGetProperty("tentative", out _));

        Assert.Contains(new LinkAddress(_link, IPAddress.Parse("172.30.1.1"), 20), _links.Addresses());
        Assert.Contains(new LinkAddress(_link, IPAddress.Parse("fd00:30::1"), 64), _links.Addresses(AddressFamily.InterNetworkV6));
        Assert.DoesNotContain(_links.Addresses(AddressFamily.InterNetwork), address => address.Address.AddressFamily == AddressFamily.InterNetworkV6);
        Assert.True(_links.DeleteAddress(_link, IPAddress.Parse("172.30.1.1"), 20));
        Assert.False(_links.DeleteAddress(_link, IPAddress.Parse("172.30.1.1"), 20));
    }

    [KernelFact(Needs.Links)]
    public void AddAddress_Ipv6Off_SaysWhere()
    {
        _host.Namespace.Within(() => File.WriteAllText("/proc/sys/net/ipv6/conf/d0/disable_ipv6", "1"));

        SyscallException error = Assert.Throws<SyscallException>(() => _links.AddAddress(_link, IPAddress.Parse("fd00::1"), 64));

        Assert.Contains("disable_ipv6", error.Message, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Links)]
    public void AddRoute_DefaultAndOnLink_BothFamilies()
    {
        _links.AddAddress(_link, IPAddress.Parse("172.30.1.2"), 24);
        _links.AddAddress(_link, IPAddress.Parse("fd00:30::2"), 64);
        Route four = new() { Destination = IPNetwork.Parse("0.0.0.0/0"), Gateway = IPAddress.Parse("172.30.1.1") };
        Route six = new() { Destination = IPNetwork.Parse("::/0"), Gateway = IPAddress.Parse("fd00:30::1"), Index = _link };
        Route onLink = new() { Destination = IPNetwork.Parse("10.9.0.0/16"), Index = _link, PreferredSource = IPAddress.Parse("172.30.1.2"), Metric = 5 };
        Route blackhole = new() { Destination = IPNetwork.Parse("10.8.0.0/16"), Kind = RouteKind.Blackhole, Table = 1000 };
        foreach (Route route in new[] { four, six, onLink, blackhole })
        {
            Assert.True(_links.AddRoute(route));
            Assert.False(_links.AddRoute(route));
        }

        JsonElement[] seen = [.. _host.Ip("route", "show").EnumerateArray(), .. _host.Ip("-6", "route", "show").EnumerateArray()];
        Assert.Equal(["172.30.1.1", "fd00:30::1"],
            seen.Where(route => route.GetProperty("dst").GetString() == "default").Select(route => route.GetProperty("gateway").GetString()));
        JsonElement link = seen.Single(route => route.GetProperty("dst").GetString() == "10.9.0.0/16");
        Assert.Equal(("link", "172.30.1.2", 5), (link.GetProperty("scope").GetString(), link.GetProperty("prefsrc").GetString(), link.GetProperty("metric").GetInt32()));

        List<Route> ours = _links.Routes();
        Assert.Contains(four with { Index = _link }, ours);
        Assert.Contains(six with { Metric = 1024 }, ours);
        Assert.Contains(onLink, ours);
        Assert.Contains(blackhole, ours);
        Assert.Contains(ours, route => route.Kind == RouteKind.Local && route.Destination == IPNetwork.Parse("172.30.1.2/32"));
        Assert.True(_links.DeleteRoute(four));
        Assert.False(_links.DeleteRoute(four));
    }

    [KernelFact(Needs.Links)]
    public void AddRoute_GatewayOutOfReach_CarriesTheKernelsWords()
    {
        Route route = new() { Destination = IPNetwork.Parse("0.0.0.0/0"), Gateway = IPAddress.Parse("192.0.2.1") };

        SyscallException error = Assert.Throws<SyscallException>(() => _links.AddRoute(route));

        Assert.Equal("RTM_NEWROUTE 0.0.0.0/0 via 192.0.2.1 (Nexthop has invalid gateway): ENETUNREACH (Network is unreachable)", error.Message);
    }
}
