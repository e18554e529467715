using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Who does not reach whom: other networks, internal networks, networks without traffic among their containers.</summary>
public sealed class NetworkIsolationTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void TwoNetworks_DoNotReachEachOther()
    {
        Network("front");
        Network("back", "--ipv6");
        Web("web", "--network", "front");
        Web("db", "--network", "back");
        Detached("box", ["--network", "front"]);

        Assert.NotNull(Fetch("box", AddressOf("web")));
        Assert.Null(Fetch("box", AddressOf("db")));
        Assert.Null(Fetch("db", AddressOf("web")));
    }

    [KernelFact(Needs.Nftables)]
    public void Internal_ReachesItsOwn_AndNobodyElse()
    {
        Network("net", "--internal");
        Web("web", "--network", "net", "-p", "8080:80");
        Detached("box", ["--network", "net"]);
        using Socket server = Outside.Listen(OutsideHost.Address, 7000);

        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", AddressOf("web")));
        Assert.False(Reaches("box", OutsideHost.Address, 7000));
        Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.Equal("", InNetworkOf("box", "ip", "route", "show", "default").Ok());
        // By a route of its own neither.
        InNetworkOf("box", "ip", "route", "add", "default", "via", Hull("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "net").Ok()).Ok();
        Assert.False(Reaches("box", OutsideHost.Address, 7000));
    }

    [KernelFact(Needs.Nftables)]
    public void IccOff_NeighboursDoNotReachEachOther_PublishedPortsDo()
    {
        Network("net", "--opt", "com.docker.network.bridge.enable_icc=false");
        Web("web", "--network", "net", "-p", "8080:80");
        Detached("box", ["--network", "net"]);
        using Socket server = Outside.Listen(OutsideHost.Address, 7000);

        Assert.Null(Fetch("box", AddressOf("web")));
        Assert.NotNull(FetchFromHost(AddressOf("web")));
        Assert.NotNull(Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.True(Reaches("box", OutsideHost.Address, 7000));
    }

    [KernelFact(Needs.Nftables)]
    public void MasqueradeOff_TheContainersOwnAddressIsSeen()
    {
        Network("net", "--subnet", "172.28.0.0/16", "--opt", "com.docker.network.bridge.enable_ip_masquerade=false");
        Detached("box", ["--network", "net"]);
        Outside.RouteThroughHull("172.28.0.0/16");
        using Socket server = Outside.Listen(OutsideHost.Address, 7000);

        Assert.True(Reaches("box", OutsideHost.Address, 7000));

        using Socket client = server.Accept();
        Assert.Equal("172.28.0.2", ((System.Net.IPEndPoint)client.RemoteEndPoint!).Address.ToString());
    }

    [KernelFact(Needs.Nftables)]
    public void UserChain_KeepsAPublishedPortForSome()
    {
        Web("web", "-p", "8080:80");
        Assert.NotNull(Outside.Fetch(OutsideHost.HullAddress, 8080));

        OnHost("nft", $"add rule inet hull hull-user ip saddr {OutsideHost.Address} meta l4proto tcp ct original proto-dst 8080 drop");
        try
        {
            Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 8080));
            Assert.NotNull(FetchFromHost("127.0.0.1", 8080));
            // The rule is the administrator's: it outlives the containers.
            Hull("rm", "-f", "web").Ok();
            Web("web", "-p", "8080:80");
            Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 8080));
        }
        finally
        {
            OnHost("nft", "flush chain inet hull hull-user");
        }
    }
}
