using System.Net;
using System.Net.Sockets;
using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Ports;

public sealed class DatagramRelayTests
{
    [Fact]
    public void Relay_TwoClients_EachHasItsAnswers()
    {
        using Socket server = Server();
        using RelayFixture fixture = new("udp", RelayFixture.PortOf(server));
        using Socket first = Client(fixture);
        using Socket second = Client(fixture);
        byte[] large = new byte[60000];
        Random.Shared.NextBytes(large);

        first.Send("one"u8);
        (byte[] question, EndPoint firstSeen) = Receive(server);
        Assert.Equal("one"u8.ToArray(), question);
        second.Send(large);
        (question, EndPoint secondSeen) = Receive(server);
        Assert.Equal(large, question);
        Assert.NotEqual(firstSeen, secondSeen);
        server.SendTo(large, firstSeen);
        server.SendTo("to two"u8, secondSeen);
        server.SendTo([], secondSeen);

        Assert.Equal(large, Receive(first).Data);
        Assert.Equal("to two"u8.ToArray(), Receive(second).Data);
        Assert.Empty(Receive(second).Data);
        first.Send("again"u8);
        Assert.Equal(firstSeen, Receive(server).From);
        Assert.Equal((2, 2), (fixture.Do(() => fixture.Relay.Datagrams.Count), fixture.Asked));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.77")]
    [InlineData("::1")]
    public void Relay_AllAddresses_TheAnswerComesFromTheOneSentTo(string address)
    {
        using Socket server = Server();
        using RelayFixture fixture = new(new PortRule(RelayFixture.PortOf(server), "udp", null, 0, 0));
        using Socket client = new(IPAddress.Parse(address).AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 8000 };
        client.Bind(new IPEndPoint(client.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
        IPEndPoint place = new(IPAddress.Parse(address), fixture.Place().Port);

        client.SendTo("ping"u8, place);
        server.SendTo("pong"u8, Receive(server).From);

        Assert.Equal(place, Receive(client).From);
    }

    [Fact]
    public void Relay_ContainerListensLater_TheNextDatagramArrives()
    {
        int port;
        using (Socket gone = Server())
        {
            port = RelayFixture.PortOf(gone);
        }

        using RelayFixture fixture = new("udp", port);
        using Socket client = Client(fixture);
        client.Send("lost"u8);
        fixture.Await(() => fixture.Relay.Datagrams.Count == 1);

        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 8000 };
        server.Bind(new IPEndPoint(IPAddress.Loopback, port));
        client.Send("there"u8);

        Assert.Equal("there"u8.ToArray(), Receive(server).Data);
    }

    [Fact]
    public void Relay_ContainerNowhere_NothingIsKept()
    {
        using Socket server = Server();
        using RelayFixture fixture = new("udp", RelayFixture.PortOf(server));
        fixture.Target = null;
        using Socket client = Client(fixture);

        client.Send("x"u8);
        fixture.Await(() => fixture.Asked == 1);
        Assert.Equal((0, false), fixture.Do(() => (fixture.Relay.Datagrams.Count, fixture.Relay.Datagrams.IsSweeping)));

        fixture.Target = IPAddress.Loopback;
        client.Send("y"u8);
        Assert.Equal("y"u8.ToArray(), Receive(server).Data);
    }

    [Fact]
    public void Relay_Silence_TheClientIsForgottenAndNoTimerIsLeft()
    {
        using Socket server = Server();
        using RelayFixture fixture = new("udp", RelayFixture.PortOf(server));
        fixture.Do(() => fixture.Relay.Datagrams.IdleTime = 200);
        using Socket talker = Client(fixture);
        using Socket silent = Client(fixture);
        silent.Send("x"u8);
        for (int i = 0; i < 12; i++)
        {
            talker.Send("x"u8);
            Thread.Sleep(50);
        }

        Assert.Equal(1, fixture.Do(() => fixture.Relay.Datagrams.Count));
        fixture.Await(() => fixture.Relay.Datagrams.Count == 0 && !fixture.Relay.Datagrams.IsSweeping);
    }

    [Fact]
    public void Relay_BoundReached_FurtherClientsAreLost()
    {
        using Socket server = Server();
        using RelayFixture fixture = new("udp", RelayFixture.PortOf(server));
        List<Socket> clients = [];
        for (int i = 0; i < DatagramRelay.MaxFlows; i++)
        {
            clients.Add(Client(fixture));
            clients[^1].Send("x"u8);
            Receive(server);
        }

        using Socket next = Client(fixture);
        next.Send("lost"u8);
        clients[0].Send("known"u8);

        Assert.Equal("known"u8.ToArray(), Receive(server).Data);
        Assert.Equal(DatagramRelay.MaxFlows, fixture.Do(() => fixture.Relay.Datagrams.Count));
        clients.ForEach(static one => one.Dispose());
    }

    private static Socket Server()
    {
        Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 8000 };
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return server;
    }

    private static Socket Client(RelayFixture fixture)
    {
        Socket client = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 8000 };
        client.Connect(fixture.Place());
        return client;
    }

    private static (byte[] Data, EndPoint From) Receive(Socket socket)
    {
        byte[] buffer = new byte[65535];
        EndPoint from = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        int n = socket.ReceiveFrom(buffer, ref from);
        return (buffer[..n], from);
    }
}
