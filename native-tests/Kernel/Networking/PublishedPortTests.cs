using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>-p and -P: from where a published port is reached, who is seen as the client, and who has a port already.</summary>
public sealed class PublishedPortTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Published_FromEverywhere_TheClientIsSeenWhereTheKernelCan()
    {
        Network("net");
        Web("web", "-p", "8080:80");
        Detached("neighbour");
        Detached("stranger", ["--network", "net"]);
        string gateway = Inspect("web", "{{.NetworkSettings.Networks.bridge.Gateway}}");

        Assert.Equal($"web saw {OutsideHost.Address}", Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.StartsWith("web saw ", FetchFromHost(OutsideHost.HullAddress, 8080), StringComparison.Ordinal);
        Assert.Equal($"web saw {gateway}", FetchFromHost("127.0.0.1", 8080));
        Assert.StartsWith("web saw ", Fetch("web", OutsideHost.HullAddress, 8080), StringComparison.Ordinal);
        Assert.StartsWith("web saw ", Fetch("neighbour", gateway, 8080), StringComparison.Ordinal);
        Assert.StartsWith("web saw ", Fetch("stranger", OutsideHost.HullAddress, 8080), StringComparison.Ordinal);
        Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 80));
    }

    [KernelFact(Needs.Nftables)]
    public void Published_OnANetworkWithIPv6_FromEverywhere()
    {
        Network("net", "--ipv6");
        Web("web", "--network", "net", "-p", "8080:80");
        Detached("neighbour", ["--network", "net"]);

        Assert.Equal($"web saw {OutsideHost.Address6}", Outside.Fetch(OutsideHost.HullAddress6, 8080));
        Assert.StartsWith("web saw ", FetchFromHost(OutsideHost.HullAddress6, 8080), StringComparison.Ordinal);
        Assert.StartsWith("web saw ", Fetch("web", OutsideHost.HullAddress6, 8080), StringComparison.Ordinal);
        Assert.StartsWith("web saw ", Fetch("neighbour", OutsideHost.HullAddress6, 8080), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables)]
    public void Published_ClientsThatTheKernelCannotTranslate_AreRelayed()
    {
        Web("web", "-p", "8080:80");
        Network("net", "--ipv6");
        Web("six", "--network", "net", "-p", "8081:80");
        _ = Outside;

        // IPv6 to a container that has IPv4 alone, and ::1 to any.
        Assert.StartsWith("web saw ", Outside.Fetch(OutsideHost.HullAddress6, 8080), StringComparison.Ordinal);
        Assert.StartsWith("web saw ", FetchFromHost("::1", 8080), StringComparison.Ordinal);
        Assert.StartsWith("six saw ", FetchFromHost("::1", 8081), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables)]
    public void Published_OnOneAddress_NotByAnother()
    {
        _ = Outside;
        Web("web", "-p", $"{OutsideHost.HullAddress}:8080:80", "-p", "127.0.0.1:8081:80");

        Assert.NotNull(Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.Null(FetchFromHost("127.0.0.1", 8080));
        Assert.NotNull(FetchFromHost("127.0.0.1", 8081));
        Assert.Null(Outside.Fetch(OutsideHost.HullAddress, 8081));
    }

    [KernelFact(Needs.Nftables)]
    public void Published_Udp_ReachesTheContainer()
    {
        Detached("box", ["-p", "5353:53/udp"]);
        using NetworkNamespace inside = NetworkNamespace.OfProcess(int.Parse(Inspect("box", "{{.State.Pid}}"), CultureInfo.InvariantCulture));
        using Socket server = inside.Within(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 * Machine.TimeScale });
        server.Bind(new IPEndPoint(IPAddress.Any, 53));

        Outside.Run("bash", "-c", $"printf hello > /dev/udp/{OutsideHost.HullAddress}/5353").Ok();

        byte[] datagram = new byte[100];
        EndPoint client = new IPEndPoint(IPAddress.Any, 0);
        int length = server.ReceiveFrom(datagram, ref client);
        Assert.Equal(("hello", OutsideHost.Address), (Encoding.ASCII.GetString(datagram, 0, length), ((IPEndPoint)client).Address.ToString()));
    }

    [KernelFact(Needs.Nftables)]
    public void PublishAll_EachExposedPort_HasOneOfTheHosts()
    {
        Web("web", "-P", "--expose", "80", "--expose", "9000-9001/udp");

        string[] lines = Hull("port", "web").Ok().Split('\n');
        Assert.Equal(["80/tcp", "9000/udp", "9001/udp"], lines.Select(line => line.Split(" -> ")[0]).Distinct());
        string port = Hull("port", "web", "80").Ok().Split('\n').Single(line => line.StartsWith("0.0.0.0:", StringComparison.Ordinal))[8..];
        Assert.NotNull(Outside.Fetch(OutsideHost.HullAddress, int.Parse(port, CultureInfo.InvariantCulture)));
        Hull("port", "web", "81").Fails(1, "81");
    }

    [KernelFact(Needs.Nftables)]
    public void Range_EachPort_LeadsToItsOwn()
    {
        Detached("box", ["-p", "8100-8102:9000-9002"], "sh", "-c", "nc -ll -p 9000 -e echo zero & nc -ll -p 9002 -e echo two & wait");
        _ = Outside;

        Wait.Until(() => Read(8102) == "two", 10, () => Read(8102));
        Assert.Equal("zero", Read(8100));
        Assert.Equal("0.0.0.0:8101\n[::]:8101", Hull("port", "box", "9001/tcp").Ok());

        string Read(int port) => Outside.Run("busybox", "nc", "-w", "2", OutsideHost.HullAddress, $"{port}").Stdout.Trim();
    }

    [KernelFact(Needs.Nftables)]
    public void Range_OfTheHost_TheFirstFreeOneIsTaken()
    {
        Web("one", "-p", "8200-8201:80");
        Web("two", "-p", "8200-8201:80");

        Assert.StartsWith("one saw ", FetchFromHost("127.0.0.1", 8200), StringComparison.Ordinal);
        Assert.StartsWith("two saw ", FetchFromHost("127.0.0.1", 8201), StringComparison.Ordinal);
        Hull("run", "-d", "-p", "8200-8201:80", Store.Busybox, "true").Fails(125, "port is already allocated");
    }

    [KernelFact(Needs.Nftables)]
    public void InUse_NamesTheContainer()
    {
        Web("web", "-p", "8080:80");

        Hull("run", "-d", "--name", "other", "-p", "8080:80", Store.Busybox, "true").Fails(125, "0.0.0.0:8080", "port is already allocated", "container web");
        Hull("rm", "-f", "web", "other").Ok();
        Web("web", "-p", "8080:80");
    }

    [KernelFact(Needs.Nftables)]
    public void InUse_NamesTheProcess()
    {
        using HullProcess server = Store.StartProgram("busybox", "nc", "-ll", "-p", "8080", "-e", "cat");
        Wait.Until(() => OnHost("busybox", "netstat", "-tln").Contains(":8080 ", StringComparison.Ordinal), 5, () => "nobody listens");

        Hull("run", "-d", "-p", "8080:80", Store.Busybox, "true").Fails(125, "port is already allocated", $"process busybox (pid {server.Pid})");
    }

    [KernelFact(Needs.Nftables)]
    public void Restart_PublishedPort_LeadsToTheNewAddress()
    {
        Web("web", "-p", "8080:80");
        Detached("other");
        Hull("stop", "-t", "0", "web").Ok();
        Assert.Null(FetchFromHost("127.0.0.1", 8080));
        // Takes the address that was web's.
        Detached("third");

        Hull("start", "web").Ok();
        WaitUntilServed("web");

        Assert.StartsWith("web saw ", FetchFromHost("127.0.0.1", 8080), StringComparison.Ordinal);
        Hull("restart", "-t", "0", "web").Ok();
        WaitUntilServed("web");
        Assert.StartsWith("web saw ", Outside.Fetch(OutsideHost.HullAddress, 8080), StringComparison.Ordinal);
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("0.0.0.0.0:80:80")]
    [InlineData("70000:80")]
    [InlineData("80:0")]
    [InlineData("80:70000")]
    [InlineData("8001-8000:80-81")]
    [InlineData("8000-8001:80-82")]
    [InlineData("8000:80/xyz")]
    [InlineData("::1:8000:80")]
    [InlineData("x")]
    [InlineData("203.0.113.7:8000:80")]
    public void BadValue_OneLine_NothingMade(string value)
    {
        RunResult result = Hull("run", "-d", "--name", "box", "-p", value, Store.Busybox, "true");

        BadInput.IsOneLine(result, 125);
        Assert.Equal("", Hull("ps", "-q").Ok());
        Assert.Equal("", OnHost("nft", "list", "tables"));
    }
}
