using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>--ip, --ip6, --mac-address, --add-host, several networks and which of them leads out.</summary>
public sealed class AddressFlagTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Addresses_AskedFor_AreTheContainers()
    {
        Network("net", "--subnet", "172.28.0.0/16", "--subnet", "fd00:28::/64", "--ipv6");
        Detached("box", ["--network", "net", "--ip", "172.28.7.7", "--ip6", "fd00:28::77", "--mac-address", "02:aa:bb:cc:dd:ee"]);

        string link = InNetworkOf("box", "ip", "addr", "show", "eth0").Ok();
        Assert.Contains("inet 172.28.7.7/16", link, StringComparison.Ordinal);
        Assert.Contains("inet6 fd00:28::77/64", link, StringComparison.Ordinal);
        Assert.Contains("link/ether 02:aa:bb:cc:dd:ee", link, StringComparison.Ordinal);
        Assert.Equal("172.28.7.7 fd00:28::77 02:aa:bb:cc:dd:ee",
            Inspect("box", "{{with .NetworkSettings.Networks.net}}{{.IPAddress}} {{.GlobalIPv6Address}} {{.MacAddress}}{{end}}"));
        Hull("exec", "box", "ping", "-c", "1", "-W", "2", "172.28.0.1").Ok();
        Hull("exec", "box", "ping6", "-c", "1", "-W", "2", "fd00:28::1").Ok();
        Hull("run", "--rm", "--network", "net", "--ip", "172.28.7.7", Store.Busybox, "true").Fails(125, "Address already in use: 172.28.7.7");
    }

    [KernelFact(Needs.Nftables)]
    public void Address_OfARemovedContainer_IsFree()
    {
        Network("net", "--subnet", "172.28.0.0/30");
        for (int round = 0; round < 3; round++)
        {
            Detached("box", ["--network", "net"]);
            Assert.Equal("172.28.0.2", AddressOf("box"));
            Hull("run", "--rm", "--network", "net", Store.Busybox, "true").Fails(125, "no available IPv4 addresses", "172.28.0.0/30");
            Hull("rm", "-f", "box").Ok();
        }
    }

    [KernelFact(Needs.Nftables)]
    public void HostGateway_IsTheHost()
    {
        Detached("box", ["--add-host", "host.docker.internal:host-gateway"]);
        using HullProcess server = Store.StartProgram("busybox", "nc", "-ll", "-p", "7000", "-e", "echo", "the host");

        string gateway = Inspect("box", "{{.NetworkSettings.Networks.bridge.Gateway}}");
        Assert.Contains($"{gateway}\thost.docker.internal", Hull("exec", "box", "cat", "/etc/hosts").Ok(), StringComparison.Ordinal);
        Wait.Until(() => Hull("exec", "box", "nc", "-w", "2", "host.docker.internal", "7000").Stdout.Trim() == "the host", 5, () => "the host does not answer");
    }

    [KernelFact(Needs.Nftables)]
    public void TwoNetworks_BothAreReached_OneLeadsOut()
    {
        Network("front", "--subnet", "172.28.0.0/16");
        Network("back", "--subnet", "172.29.0.0/16");
        Web("one", "--network", "front");
        Web("two", "--network", "back");
        Detached("box", ["--network", "front", "--network", "name=back,ip=172.29.0.99,gw-priority=1"]);

        Assert.Equal($"one saw {AddressOf("box", "front")}", Fetch("box", AddressOf("one")));
        Assert.Equal("two saw 172.29.0.99", Fetch("box", AddressOf("two")));
        Assert.Equal("default via 172.29.0.1 dev eth1", InNetworkOf("box", "ip", "route", "show", "default").Ok().Trim());

        Hull("network", "disconnect", "back", "box").Ok();

        Assert.Equal("default via 172.28.0.1 dev eth0", InNetworkOf("box", "ip", "route", "show", "default").Ok().Trim());
    }

    [KernelFact(Needs.Nftables)]
    public void IPv6Network_ContainersReachEachOther_AndOut()
    {
        Network("net", "--ipv6");
        Web("web", "--network", "net");
        Detached("box", ["--network", "net"]);
        using System.Net.Sockets.Socket server = Outside.Listen(OutsideHost.Address6, 7000);

        Assert.Equal($"web saw {Address6Of("box")}", Fetch("box", Address6Of("web")));
        Assert.True(Reaches("box", OutsideHost.Address6, 7000));
        using System.Net.Sockets.Socket client = server.Accept();
        Assert.Equal(OutsideHost.HullAddress6, ((System.Net.IPEndPoint)client.RemoteEndPoint!).Address.ToString());
    }

    [KernelFact(Needs.Nftables)]
    public void IPv6Network_HostsOwnLinksHaveItOff_WorksAllTheSame()
    {
        Network("net", "--subnet", "fd00:28::/64", "--ipv6");

        // In a network of its own, so that it is not the suite's that changes.
        Store.Shell(
            "unshare --net sh -c 'ip link set lo up; for which in all default; do echo 1 > /proc/sys/net/ipv6/conf/$which/disable_ipv6; done; "
            + $"$HULL run --rm --network net {Store.Busybox} ping6 -c 1 -W 2 fd00:28::1'").Ok();
    }

    [KernelFact(Needs.Nftables)]
    public void IPv6AloneNetwork_HasNoIPv4()
    {
        Network("net", "--ipv6", "--ipv4=false");
        Web("web", "--network", "net");
        Detached("box", ["--network", "net"]);

        Assert.Equal($"web saw {Address6Of("box")}", Fetch("box", Address6Of("web")));
        Assert.DoesNotContain("inet ", InNetworkOf("box", "ip", "addr", "show", "eth0").Ok(), StringComparison.Ordinal);
    }
}
