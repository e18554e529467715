using System.Net;
using System.Net.Sockets;
using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Ports;

public sealed class SocketHolderTests
{
    [Theory]
    [InlineData("tcp", "127.0.0.1")]
    [InlineData("tcp", "0.0.0.0")]
    [InlineData("tcp", "::1")]
    [InlineData("tcp", "::")]
    [InlineData("udp", "127.0.0.1")]
    [InlineData("udp", "0.0.0.0")]
    [InlineData("udp", "::1")]
    [InlineData("udp", "::")]
    public void Find_OwnSocket_IsThisProcess(string protocol, string address)
    {
        using Socket socket = Bound(protocol, IPAddress.Parse(address));
        int port = RelayFixture.PortOf(socket);
        IPAddress any = socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;

        Assert.Equal(Environment.ProcessId, SocketHolder.Find(protocol, new IPEndPoint(IPAddress.Parse(address), port)));
        // Who wants all addresses is in the way of who has one.
        Assert.Equal(Environment.ProcessId, SocketHolder.Find(protocol, new IPEndPoint(any, port)));
    }

    [Fact]
    public void Find_SocketAtAllAddresses_HoldsEachOfThem()
    {
        using Socket socket = Bound("tcp", IPAddress.Any);

        Assert.Equal(Environment.ProcessId, SocketHolder.Find("tcp", new IPEndPoint(IPAddress.Parse("192.0.2.1"), RelayFixture.PortOf(socket))));
    }

    [Fact]
    public void Find_OtherAddressProtocolOrPort_IsNobody()
    {
        using Socket socket = Bound("tcp", IPAddress.Parse("127.0.0.1"));
        int port = RelayFixture.PortOf(socket);

        Assert.Null(SocketHolder.Find("tcp", new IPEndPoint(IPAddress.Parse("127.0.0.2"), port)));
        Assert.NotEqual(Environment.ProcessId, SocketHolder.Find("udp", new IPEndPoint(IPAddress.Loopback, port)));
        Assert.Null(SocketHolder.Find("sctp", new IPEndPoint(IPAddress.Loopback, port)));
        socket.Dispose();
        Assert.Null(SocketHolder.Find("tcp", new IPEndPoint(IPAddress.Loopback, port)));
    }

    private static Socket Bound(string protocol, IPAddress address)
    {
        Socket socket = protocol == "tcp"
            ? new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) : new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = false;
        }

        socket.Bind(new IPEndPoint(address, 0));
        if (protocol == "tcp")
        {
            socket.Listen();
        }

        return socket;
    }
}
