using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>The corpus' rows about networks, through the binary.</summary>
[Trait("corpus", "security")]
public sealed class NetworkSecurityTests(HullStore store) : NetworkTest(store)
{
    private const byte EchoRequest = 128;
    private const byte RouterAdvertisement = 134;

    [KernelFact(Needs.Nftables)]
    public void CVE_2020_13401_RogueRouterAdvertisement_ReachesNeitherHostNorNeighbour()
    {
        string id = Network("net", "--ipv6");
        string bridge = $"br-{id[..12]}";
        Detached("rogue", ["--network", "net"]);
        Detached("victim", ["--network", "net"]);
        using Socket rogue = RawSocket("rogue");
        using Socket victim = RawSocket("victim");
        string routes = OnHost("ip", "-6", "route", "show");

        Send(rogue, EchoRequest);
        Assert.True(Received(victim, EchoRequest), "not even an echo request comes: the test cannot fail");
        Send(rogue, RouterAdvertisement);

        Assert.False(Received(victim, RouterAdvertisement));
        Assert.Equal("0", File.ReadAllText($"/proc/sys/net/ipv6/conf/{bridge}/accept_ra").Trim());
        Assert.Equal(routes, OnHost("ip", "-6", "route", "show"));
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2024_32473_NetworkWithoutIPv6_HasNoAddressOfIt()
    {
        string id = Network("net");
        Detached("box", ["--network", "net", "--network", "bridge"]);

        foreach (string link in new[] { "eth0", "eth1" })
        {
            Assert.DoesNotContain("inet6", InNetworkOf("box", "ip", "addr", "show", link).Ok(), StringComparison.Ordinal);
            Assert.Equal("1", Hull("exec", "box", "cat", $"/proc/sys/net/ipv6/conf/{link}/disable_ipv6").Ok().Trim());
        }

        Assert.DoesNotContain("inet6", OnHost("ip", "addr", "show", $"br-{id[..12]}"), StringComparison.Ordinal);
        Assert.DoesNotContain("inet6", OnHost("ip", "addr", "show", "type", "veth", "master", $"br-{id[..12]}"), StringComparison.Ordinal);
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData(false)]
    [InlineData(true)]
    public void CVE_2024_29018_InternalNetwork_AsksNoServerOutside(bool isInternal)
    {
        Network("net", isInternal ? ["--internal"] : []);
        using Socket server = Outside.ListenForDatagrams(OutsideHost.Address, 53);
        Detached("box", ["--network", "net", "--dns", OutsideHost.Address]);

        RunResult asked = Hull("exec", "box", "timeout", "3", "nslookup", "secret.example.com");

        Assert.NotEqual(0, asked.ExitCode);
        // Of the other network the question comes: the test can fail.
        Assert.Equal(!isInternal, server.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectRead));
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2021_20199_PublishedPort_TheClientIsNotLoopback()
    {
        Web("web", "-p", "8080:80");

        Assert.Equal($"web saw {OutsideHost.Address}", Outside.Fetch(OutsideHost.HullAddress, 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2025_54388_FirewallReloaded_LoopbackPortsStayTheHosts()
    {
        Web("web", "-p", "127.0.0.1:8080:80");
        Outside.RouteThroughHull("172.16.0.0/12");
        AssertClosedOutside();

        OnHost("nft", "flush", "ruleset");
        Hull("ps").Ok();

        AssertClosedOutside();
        Assert.NotNull(FetchFromHost("127.0.0.1", 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2025_54410_LoopbackPort_NotByARouteTo127()
    {
        Web("web", "-p", "127.0.0.1:8080:80");
        Outside.Run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo").Ok();
        Outside.RouteThroughHull("127.0.0.0/8");
        Outside.Run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet").Ok();
        OutsideHost.Sysctl($"ipv4/conf/{OutsideHost.Wire}/route_localnet", "1");

        Assert.NotNull(FetchFromHost("127.0.0.1", 8080));
        Assert.Null(Outside.Fetch("127.0.0.1", 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2025_67499_SamePortOfAnotherHost_IsNotCaptured()
    {
        Network("net");
        Web("web", "-p", "8080:80");
        Detached("box", ["--network", "net"]);
        using Socket elsewhere = Outside.Listen(OutsideHost.Address, 8080);

        Assert.True(Reaches("box", OutsideHost.Address, 8080));

        Assert.True(elsewhere.Poll(TimeSpan.FromSeconds(2), SelectMode.SelectRead), "the connection went to the container");
    }

    [KernelFact(Needs.Nftables)]
    public void CVE_2023_28840_EncryptedOverlay_IsRefused()
    {
        BadInput.IsOneLine(Hull("network", "create", "--driver", "overlay", "--opt", "encrypted", "net"), 1, "could not find network driver \"overlay\"");
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("--driver", "../../bin/sh")]
    [InlineData("--driver", "/bin/sh")]
    [InlineData("--driver", "..")]
    [InlineData("--ipam-driver", "../../bin/sh")]
    public void CVE_2021_20206_DriverThatIsAPath_IsRefused(string flag, string value)
    {
        BadInput.IsOneLine(Hull("network", "create", flag, value, "net"), 1, flag == "--driver" ? "could not find network driver" : "--ipam-driver");
        Assert.Equal("", Hull("network", "ls", "-q", "-f", "type=custom").Ok());
    }

    private void AssertClosedOutside()
    {
        Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.Null(Outside.Fetch(AddressOf("web"), 80));
    }

    /// <summary>What a container with CAP_NET_RAW may open.</summary>
    private Socket RawSocket(string container)
    {
        int pid = int.Parse(Inspect(container, "{{.State.Pid}}"), CultureInfo.InvariantCulture);
        using NetworkNamespace inside = NetworkNamespace.OfProcess(pid);
        // Its link-local address is tentative for a second.
        Wait.Until(() => !InNetworkOf(container, "ip", "addr", "show", "eth0", "tentative").Ok().Contains("inet6", StringComparison.Ordinal), 5, () => "eth0 stays tentative");
        return inside.Within(() =>
        {
            Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6) { ReceiveTimeout = 500 * Machine.TimeScale };
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, 255);
            using Rtnetlink links = Rtnetlink.Open();
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, links.GetLink("eth0").Index);
            return socket;
        });
    }

    /// <summary>To every host of the link; as an advertisement (RFC 4861, 4.2) it says: a router for half an hour.</summary>
    private static void Send(Socket from, byte type) =>
        from.SendTo([type, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0], new IPEndPoint(IPAddress.Parse("ff02::1"), 0));

    private static bool Received(Socket socket, byte type)
    {
        byte[] message = new byte[256];
        try
        {
            while (true)
            {
                if (socket.Receive(message) > 0 && message[0] == type)
                {
                    return true;
                }
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            return false;
        }
    }
}
