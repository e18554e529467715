using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>The network of containers that ask for none. In the full guest too: networks and pure cgroup v2 together.</summary>
public sealed class DefaultBridgeTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Limits | Needs.Nftables)]
    public void Run_NoNetworkFlag_HasAddressAndWayOut()
    {
        Detached("box");

        string address = AddressOf("box");
        string gateway = Inspect("box", "{{.NetworkSettings.Networks.bridge.Gateway}}");
        Assert.Contains($"inet {address}/", InNetworkOf("box", "ip", "addr", "show", "eth0").Ok(), StringComparison.Ordinal);
        Assert.Equal($"default via {gateway} dev eth0", InNetworkOf("box", "ip", "route", "show", "default").Ok().Trim());
        Assert.Contains($"inet {gateway}/", OnHost("ip", "addr", "show", "type", "bridge"), StringComparison.Ordinal);
        Hull("exec", "box", "ping", "-c", "1", "-W", "2", gateway).Ok();
    }

    [KernelFact(Needs.Limits | Needs.Nftables)]
    public void Neighbours_ReachEachOther_ByAddress()
    {
        Web("one");
        Web("two");

        Assert.NotEqual(AddressOf("one"), AddressOf("two"));
        Assert.Equal($"one saw {AddressOf("two")}", Fetch("two", AddressOf("one")));
        Hull("exec", "one", "ping", "-c", "1", "-W", "2", AddressOf("two")).Ok();
        Assert.Contains($"{AddressOf("one")}\tone", Hull("exec", "one", "cat", "/etc/hosts").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits | Needs.Nftables)]
    public void Outside_IsReached_MasqueradedAndNotTheOtherWayRound()
    {
        Web("box");
        using Socket server = Outside.Listen(OutsideHost.Address, 7000);
        Outside.RouteThroughHull("172.16.0.0/12");

        Assert.True(Reaches("box", OutsideHost.Address, 7000));

        using Socket client = server.Accept();
        Assert.Equal(OutsideHost.HullAddress, ((IPEndPoint)client.RemoteEndPoint!).Address.ToString());
        Assert.True(Outside.IsShut(AddressOf("box"), 80));
    }

    [KernelFact(Needs.Nftables)]
    public void LastContainer_Gone_NothingIsLeftOnTheHost()
    {
        Detached("one");
        Detached("two");
        Assert.Contains("table inet hull", OnHost("nft", "list", "tables"), StringComparison.Ordinal);
        Assert.Equal(3, OnHost("ip", "-o", "link").Split('\n').Count(line => line.Contains("bridge", StringComparison.Ordinal) || line.Contains("veth", StringComparison.Ordinal)
            || line.Contains("hull", StringComparison.Ordinal)));

        Hull("rm", "-f", "one").Ok();
        Assert.Contains("table inet hull", OnHost("nft", "list", "tables"), StringComparison.Ordinal);
        Hull("rm", "-f", "two").Ok();

        Assert.Equal("", OnHost("nft", "list", "tables"));
        Assert.Equal("lo", string.Join(' ', NetworkInterface.GetAllNetworkInterfaces().Select(link => link.Name)));
    }

    [KernelFact(Needs.Nftables)]
    public void Run_NetworkNone_HasLoopbackAlone_AndNothingOnTheHost()
    {
        string links = OnHost("ip", "-o", "link");
        Detached("box", ["--network", "none"]);

        Assert.Equal("lo", Hull("exec", "box", "ls", "/sys/class/net").Ok().Trim());
        Assert.Equal(links, OnHost("ip", "-o", "link"));
        Assert.Equal("", OnHost("nft", "list", "tables"));
    }

    [KernelFact(Needs.Nftables)]
    public void DefaultNetworkVariable_None_IsTheNetworkOfThoseThatAskForNone()
    {
        Store.Shell($"HULL_DEFAULT_NETWORK=none $HULL run -d --name box {Store.Busybox} sleep 1000").Ok();
        Store.Shell($"HULL_DEFAULT_NETWORK=none $HULL run -d --name other --network bridge {Store.Busybox} sleep 1000").Ok();

        Assert.Equal("none", Inspect("box", "{{.HostConfig.NetworkMode}}"));
        Assert.NotEqual("", AddressOf("other"));
        Store.Shell($"HULL_DEFAULT_NETWORK=nowhere $HULL run --rm {Store.Busybox} true").Fails(125, "network nowhere not found");
    }

    [KernelFact(Needs.Nftables)]
    public void Restart_Container_KeepsWorking()
    {
        Web("box");
        Hull("restart", "-t", "0", "box").Ok();
        WaitUntilServed("box");

        Assert.Equal("box saw " + Inspect("box", "{{.NetworkSettings.Networks.bridge.Gateway}}"), FetchFromHost(AddressOf("box")));
    }

    [KernelFact(Needs.Nftables)]
    public void NetworkContainer_SharesAddressAndPorts()
    {
        Web("box");

        Assert.Equal("box saw 127.0.0.1", Http.Read(InBusybox(Http.Request("127.0.0.1", 80), "--network", "container:box")));
        Assert.Contains(AddressOf("box"), InBusybox("ip addr show eth0", "--network", "container:box").Ok(), StringComparison.Ordinal);
        Hull("run", "--rm", "--network", "container:nobody", Store.Busybox, "true").Fails(125, "nobody");
    }

    [KernelFact(Needs.Nftables)]
    public void Pools_AvoidTheSubnetsThatTheHostHasRoutesFor()
    {
        // As a VPN has it: the first of the default pools.
        OnHost("ip", "link", "add", "vpn", "type", "bridge");
        try
        {
            OnHost("ip", "addr", "add", "172.17.5.1/30", "dev", "vpn");
            OnHost("ip", "link", "set", "vpn", "up");
            Network("net");

            Assert.DoesNotContain("172.17.", Hull("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", "net").Ok(), StringComparison.Ordinal);
        }
        finally
        {
            OnHost("ip", "link", "del", "vpn");
        }
    }
}
