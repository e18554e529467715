using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Networking.Firewall;

namespace Hull.Kernel.Tests.Networking;

/// <summary>hull's firewall between namespaces: what gets through and what does not.</summary>
public sealed class FirewallTests : IDisposable
{
    private readonly FirewallHost _net = new();
    private readonly Socket _listener;
    private readonly Socket _listener6;

    public FirewallTests()
    {
        _listener = FirewallHost.Listen(_net.One, "0.0.0.0", 80);
        _listener6 = FirewallHost.Listen(_net.One, "::", 81);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _listener6.Dispose();
        _net.Dispose();
    }

    [KernelFact(Needs.Nftables)]
    public void Explain_GivenToNft_ListsTheSame()
    {
        FirewallState state = _net.State(Port("0.0.0.0", 8080), Port("127.0.0.1", 8081), Port("::", 8080, six: true), Port("::1", 8081, six: true));
        _net.Firewall.Apply(state);
        using TestNamespace peer = new();
        using HullProcess nft = peer.Start("nft", "-f", "-");
        nft.Write(HullFirewall.Explain(state));
        nft.CloseInput();
        nft.Finish().Ok();

        Assert.Equal(
            peer.Run("nft", "list", "ruleset").Ok().Split('\n').Where(line => !line.Contains("elements", StringComparison.Ordinal)).Order(),
            _net.Host.Run("nft", "list", "ruleset").Ok().Split('\n').Where(line => !line.Contains("elements", StringComparison.Ordinal)).Order());
        Assert.Null(_net.Firewall.WhatIsMissing(state));
        using HullFirewall other = HullFirewall.Open(peer.Namespace);
        Assert.Null(other.WhatIsMissing(state));
    }

    [KernelFact(Needs.Nftables)]
    public void Published_OnEveryAddress_FromEverywhere()
    {
        _net.Firewall.Apply(_net.State(Port("0.0.0.0", 8080), Port("::", 8080, six: true)));

        Assert.True(FirewallHost.Connects(_net.Outside, FirewallHost.HostAddress, 8080), "from another host");
        Assert.True(FirewallHost.Connects(_net.Outside, FirewallHost.HostAddress6, 8080), "from another host, IPv6");
        Assert.True(FirewallHost.Connects(_net.Host, FirewallHost.HostAddress, 8080), "from the host by its own address");
        Assert.True(FirewallHost.Connects(_net.Host, "127.0.0.1", 8080), "from the host by localhost");
        Assert.True(FirewallHost.Connects(_net.Two, "172.30.0.1", 8080), "from a neighbour by the gateway");
        Assert.True(FirewallHost.Connects(_net.One, FirewallHost.HostAddress, 8080), "from the container to itself");
        Assert.True(FirewallHost.Connects(_net.One, FirewallHost.HostAddress6, 8080), "from the container to itself, IPv6");
        Assert.True(FirewallHost.Connects(_net.Three, FirewallHost.HostAddress, 8080), "from another network");
    }

    [KernelFact(Needs.Nftables)]
    public void Published_OnIpv6Loopback_IsLeftToWhoListensThere()
    {
        _net.Firewall.Apply(_net.State(Port("::", 8080, six: true)));
        Assert.True(FirewallHost.IsShut(_net.Host, "::1", 8080));

        using Socket listener = FirewallHost.Listen(_net.Host, "::1", 8080);

        Assert.True(FirewallHost.Connects(_net.Host, "::1", 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void Published_FromOutside_TheContainerSeesTheClient()
    {
        _net.Firewall.Apply(_net.State(Port("0.0.0.0", 8080)));
        using Socket? client = FirewallHost.TryConnect(_net.Outside, FirewallHost.HostAddress, 8080);
        using Socket served = _listener.Accept();

        Assert.Equal(IPAddress.Parse("192.0.2.2"), ((IPEndPoint)served.RemoteEndPoint!).Address);
    }

    [KernelFact(Needs.Nftables)]
    public void Published_OnLoopback_NotFromOutside_CVE_2025_54410()
    {
        _net.Firewall.Apply(_net.State(Port("127.0.0.1", 8080)));
        _net.Outside.Run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo").Ok();
        _net.Outside.Run("ip", "route", "del", "table", "local", "127.0.0.1");
        _net.Outside.Run("ip", "route", "add", "127.0.0.0/8", "via", FirewallHost.HostAddress).Ok();
        _net.Outside.Namespace.Within(() => File.WriteAllText("/proc/sys/net/ipv4/conf/all/route_localnet", "1"));

        Assert.True(FirewallHost.Connects(_net.Host, "127.0.0.1", 8080), "from the host");
        Assert.True(FirewallHost.IsShut(_net.Outside, FirewallHost.HostAddress, 8080), "by the host's address");
        Assert.True(FirewallHost.IsShut(_net.Outside, "127.0.0.1", 8080, "192.0.2.2"), "by a route to 127/8");
        Assert.True(FirewallHost.IsShut(_net.Outside, "172.30.0.2", 80), "by a route to the container");
    }

    [KernelFact(Needs.Nftables)]
    public void Published_ForAnotherHost_IsNotCaptured_CVE_2025_67499()
    {
        _net.Firewall.Apply(_net.State(Port("0.0.0.0", 8080)));
        using Socket elsewhere = FirewallHost.Listen(_net.Outside, "192.0.2.2", 8080);

        using Socket? client = FirewallHost.TryConnect(_net.Three, "192.0.2.2", 8080);

        Assert.NotNull(client);
        using Socket served = elsewhere.Accept();
        Assert.Equal(IPAddress.Parse(FirewallHost.HostAddress), ((IPEndPoint)served.RemoteEndPoint!).Address);
    }

    [KernelFact(Needs.Nftables)]
    public void Forward_OtherNetworksAndHosts_DoNotReachAContainer()
    {
        Assert.True(FirewallHost.Connects(_net.Three, "172.30.0.2", 80), "without a firewall: the test can fail");
        Assert.True(FirewallHost.Connects(_net.Outside, "172.30.0.2", 80), "without a firewall: the test can fail");
        _net.Firewall.Apply(_net.State());

        Assert.True(FirewallHost.Connects(_net.Two, "172.30.0.2", 80), "a neighbour");
        Assert.True(FirewallHost.Connects(_net.Host, "172.30.0.2", 80), "the host");
        Assert.True(FirewallHost.IsShut(_net.Three, "172.30.0.2", 80), "another network");
        Assert.True(FirewallHost.IsShut(_net.Three, "fd00:30::2", 81), "another network, IPv6");
        Assert.True(FirewallHost.IsShut(_net.Outside, "172.30.0.2", 80), "another host");
        Assert.True(FirewallHost.IsShut(_net.Outside, "fd00:30::2", 81), "another host, IPv6");
    }

    [KernelFact(Needs.Nftables)]
    public void Loopback_OfTheHost_IsNotForContainers()
    {
        _net.Firewall.Apply(_net.State());
        using Socket service = FirewallHost.Listen(_net.Host, "127.0.0.1", 6379);
        _net.One.Run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo").Ok();
        _net.One.Run("ip", "route", "add", "127.0.0.0/8", "via", "172.30.0.1").Ok();
        _net.One.Namespace.Within(() => File.WriteAllText("/proc/sys/net/ipv4/conf/all/route_localnet", "1"));

        Assert.True(FirewallHost.IsShut(_net.One, "127.0.0.1", 6379, "172.30.0.2"));
        Assert.True(FirewallHost.Connects(_net.Host, "127.0.0.1", 6379));
    }

    [KernelFact(Needs.Nftables)]
    public void Internal_NoWayOutAndNoneIn()
    {
        using Socket outside = FirewallHost.Listen(_net.Outside, "192.0.2.2", 8080);
        FirewallState state = _net.State(Port("0.0.0.0", 8080));
        _net.Firewall.Apply(state);
        Assert.True(FirewallHost.Connects(_net.One, "192.0.2.2", 8080));

        _net.Firewall.Apply(state with { Networks = [_net.Web with { Internal = true }, _net.Back] });

        Assert.True(FirewallHost.IsShut(_net.One, "192.0.2.2", 8080), "out");
        Assert.True(FirewallHost.IsShut(_net.Outside, FirewallHost.HostAddress, 8080), "in");
        Assert.True(FirewallHost.Connects(_net.Two, "172.30.0.2", 80), "within");
    }

    [KernelFact(Needs.Nftables)]
    public void UserChain_DropsPublishedPorts_AndSurvives()
    {
        FirewallState state = _net.State(Port("0.0.0.0", 8080));
        _net.Firewall.Apply(state);
        _net.Host.Run("nft", "add rule inet hull hull-user ip saddr 192.0.2.2 meta l4proto tcp ct original proto-dst 8080 drop").Ok();
        _net.Firewall.Apply(state);

        Assert.True(FirewallHost.IsShut(_net.Outside, FirewallHost.HostAddress, 8080));
        Assert.True(FirewallHost.Connects(_net.Three, FirewallHost.HostAddress, 8080));
        Assert.Null(_net.Firewall.WhatIsMissing(state));
        _net.Firewall.Clear();
        Assert.Contains("ct original proto-dst 8080 drop", _net.Host.Run("nft", "list", "ruleset").Ok(), StringComparison.Ordinal);
        _net.Firewall.Apply(state);
        Assert.True(FirewallHost.IsShut(_net.Outside, FirewallHost.HostAddress, 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void WhatIsMissing_FlushedByOthers_AppliedAgain()
    {
        FirewallState state = _net.State(Port("0.0.0.0", 8080));
        _net.Firewall.Apply(state);
        uint before = _net.Firewall.Generation();
        _net.Host.Run("nft", "flush ruleset").Ok();

        Assert.NotEqual(before, _net.Firewall.Generation());
        Assert.Equal("table inet hull is gone", _net.Firewall.WhatIsMissing(state));
        _net.Firewall.Apply(state);
        Assert.Null(_net.Firewall.WhatIsMissing(state));
        _net.Host.Run("nft", "flush chain bridge hull endpoint").Ok();
        Assert.StartsWith("table bridge hull: chain endpoint has 0 rules", _net.Firewall.WhatIsMissing(state), StringComparison.Ordinal);
        _net.Firewall.Clear();
        Assert.Equal("", _net.Host.Run("nft", "list", "ruleset").Ok());
        _net.Firewall.Clear();
    }

    [KernelFact(Needs.Nftables)]
    public void AddAndRemove_OneEndpoint_LeaveTheRest()
    {
        FirewallState all = _net.State();
        FirewallEndpoint one = _net.Endpoint("one");
        _net.Firewall.Apply(all with { Endpoints = [.. all.Endpoints.Where(endpoint => endpoint != one)], Networks = [_net.Back] });

        _net.Firewall.Add(_net.Web);
        _net.Firewall.Add(one, Port("0.0.0.0", 8080));
        Assert.Null(_net.Firewall.WhatIsMissing(_net.State(Port("0.0.0.0", 8080))));
        Assert.True(FirewallHost.Connects(_net.Outside, FirewallHost.HostAddress, 8080));

        _net.Firewall.Remove(one, Port("0.0.0.0", 8080));
        _net.Firewall.Remove(_net.Web);
        Assert.Null(_net.Firewall.WhatIsMissing(all with { Endpoints = [.. all.Endpoints.Where(endpoint => endpoint != one)], Networks = [_net.Back] }));
        Assert.True(FirewallHost.IsShut(_net.Outside, FirewallHost.HostAddress, 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void Spoofing_ANeighboursAddress_IsDropped()
    {
        _net.Two.Run("ip", "addr", "add", "172.30.0.77/16", "dev", "eth0").Ok();
        _net.Two.Run("ip", "addr", "add", "fd00:30::77/64", "dev", "eth0", "nodad").Ok();
        Assert.True(FirewallHost.Connects(_net.Two, "172.30.0.2", 80, "172.30.0.77"), "without a firewall: the test can fail");
        _net.Firewall.Apply(_net.State());

        Assert.True(FirewallHost.Connects(_net.Two, "172.30.0.2", 80, "172.30.0.3"));
        Assert.True(FirewallHost.IsShut(_net.Two, "172.30.0.2", 80, "172.30.0.77"), "IPv4");
        Assert.True(FirewallHost.IsShut(_net.Two, "fd00:30::2", 81, "fd00:30::77"), "IPv6");
        _net.One.Run("ip", "neigh", "flush", "dev", "eth0").Ok();
        Assert.True(FirewallHost.IsShut(_net.One, "172.30.0.77", 80), "ARP");
        Assert.DoesNotContain("lladdr", _net.One.Run("ip", "neigh", "show", "172.30.0.77").Ok(), StringComparison.Ordinal);
        _net.Two.Run("ip", "link", "set", "eth0", "address", "02:42:00:00:30:02").Ok();
        Assert.True(FirewallHost.IsShut(_net.Two, "172.30.0.1", 80), "another MAC address");
    }

    private static FirewallPort Port(string host, int port, bool six = false) => new(
        ProtocolType.Tcp, new IPEndPoint(IPAddress.Parse(host), port),
        six ? new IPEndPoint(IPAddress.Parse("fd00:30::2"), 81) : new IPEndPoint(IPAddress.Parse("172.30.0.2"), 80));
}
