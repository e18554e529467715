using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Hull.Linux;
using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Ports;

public sealed class StreamRelayTests
{
    [Fact]
    public async Task Relay_MegabytesBothWaysAtOnce_ArriveUnchanged()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        using Socket client = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);
        byte[] up = RandomNumberGenerator.GetBytes(8 << 20);
        byte[] down = RandomNumberGenerator.GetBytes(5 << 20);

        Task[] senders = [Task.Run(() => SendAll(client, up)), Task.Run(() => SendAll(server, down))];
        Task<byte[]> received = Task.Run(() => RelayFixture.ReadToEnd(server));
        Assert.Equal(SHA256.HashData(down), SHA256.HashData(RelayFixture.ReadToEnd(client)));
        Assert.Equal(SHA256.HashData(up), SHA256.HashData(await received));

        await Task.WhenAll(senders);
        fixture.Await(() => fixture.Relay.Streams.Count == 0);
        Assert.Equal(0, fixture.Do(() => fixture.Relay.Streams.Pipes.Spare));
    }

    [Fact]
    public void Relay_OneSideHasSaidAll_TheOtherGoesOn()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        using Socket client = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);

        client.Send("question"u8);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question"u8.ToArray(), RelayFixture.ReadToEnd(server));
        Thread.Sleep(50);
        server.Send("answer"u8);
        server.Shutdown(SocketShutdown.Send);

        Assert.Equal("answer"u8.ToArray(), RelayFixture.ReadToEnd(client));
        fixture.Await(() => fixture.Relay.Streams.Count == 0);
    }

    [Fact]
    public void Relay_ClientTakesNothing_TheContainerWaitsAndNothingIsLost()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        using Socket client = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);
        server.Blocking = false;
        byte[] piece = new byte[65536];
        long sent = 0;
        for (long quietSince = Environment.TickCount64; Environment.TickCount64 - quietSince < 300;)
        {
            try
            {
                sent += server.Send(piece);
                quietSince = Environment.TickCount64;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                Thread.Sleep(10);
            }
        }

        // What is under way is bounded by the kernel's buffers (tcp_wmem, tcp_rmem: some MiB each).
        Assert.InRange(sent, 1, 64 << 20);
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, RelayFixture.ReadToEnd(client).LongLength);
    }

    [Fact]
    public void Relay_NobodyListensInTheContainer_TheClientIsReset()
    {
        int port;
        using (Socket gone = RelayFixture.Listener())
        {
            port = RelayFixture.PortOf(gone);
        }

        using RelayFixture fixture = new("tcp", port);
        using Socket client = fixture.Connect();

        Assert.Equal(SocketError.ConnectionReset, RelayFixture.Failure(client));
        Assert.Equal(0, fixture.Do(() => fixture.Relay.Streams.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Relay_ContainerNowhere_TheClientIsResetAndLaterOnesAreServed(bool fails)
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        fixture.Target = null;
        fixture.FailsWith = fails ? new SyscallException("open", "network.json", Errno.EIO) : null;
        using (Socket client = fixture.Connect())
        {
            Assert.Equal(SocketError.ConnectionReset, RelayFixture.Failure(client));
        }

        Assert.Equal(1, fixture.Asked);
        fixture.FailsWith = null;
        fixture.Target = IPAddress.Loopback;
        using Socket second = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);
        second.Send("x"u8);
        Assert.Equal(1, server.Receive(new byte[2]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Relay_OneSideResets_SoIsTheOther(bool halfClosedBefore)
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        using Socket client = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);
        if (halfClosedBefore)
        {
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(RelayFixture.ReadToEnd(server));
        }

        client.LingerState = new LingerOption(true, 0);
        client.Close();

        fixture.Await(() => fixture.Relay.Streams.Count == 0);
        // Reading past the end of the client's half says nothing; writing does.
        Assert.True(SpinWait.SpinUntil(() => server.Poll(0, SelectMode.SelectError) || IsReset(server), 8000));
    }

    [Fact]
    public void Relay_ManyConnections_EachToItsOwn()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        List<(Socket Client, Socket Server)> pairs = [];
        for (int i = 0; i < 100; i++)
        {
            Socket client = fixture.Connect();
            pairs.Add((client, RelayFixture.Accept(listener)));
        }

        byte[] buffer = new byte[4];
        for (int i = 0; i < pairs.Count; i++)
        {
            pairs[i].Client.Send(BitConverter.GetBytes(i));
            pairs[i].Server.Send(BitConverter.GetBytes(-i));
        }

        for (int i = 0; i < pairs.Count; i++)
        {
            Assert.Equal((4, i), (pairs[i].Server.Receive(buffer), BitConverter.ToInt32(buffer)));
            Assert.Equal((4, -i), (pairs[i].Client.Receive(buffer), BitConverter.ToInt32(buffer)));
        }

        // Connections that say nothing have given their pipes back, and not all of those are kept.
        Assert.InRange(fixture.Do(() => fixture.Relay.Streams.Pipes.Spare), 1, 4);
        Assert.Equal(100, fixture.Do(() => fixture.Relay.Streams.Count));
        pairs.ForEach(static pair => pair.Client.Dispose());
        pairs.ForEach(static pair => pair.Server.Dispose());
        fixture.Await(() => fixture.Relay.Streams.Count == 0);
        Assert.Equal(0, fixture.Do(() => fixture.Relay.Streams.Pipes.Spare));
    }

    [Fact]
    public void Relay_BoundReached_TheNextClientWaitsForOneToLeave()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        List<Socket> sockets = [];
        Socket first = fixture.Connect();
        sockets.Add(RelayFixture.Accept(listener));
        for (int i = 1; i < StreamRelay.MaxConnections; i++)
        {
            sockets.Add(fixture.Connect());
            sockets.Add(RelayFixture.Accept(listener));
        }

        using Socket next = fixture.Connect();
        next.Send("x"u8);
        Assert.False(listener.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
        Assert.Equal(StreamRelay.MaxConnections, fixture.Do(() => fixture.Relay.Streams.Count));
        first.LingerState = new LingerOption(true, 0);
        first.Dispose();

        using Socket server = RelayFixture.Accept(listener);
        Assert.Equal(1, server.Receive(new byte[2]));
        sockets.ForEach(static one => one.Dispose());
    }

    [Fact]
    public void Dispose_InTheMiddle_BothSidesAreResetAndThePortStaysTaken()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new("tcp", RelayFixture.PortOf(listener));
        using Socket client = fixture.Connect();
        using Socket server = RelayFixture.Accept(listener);
        client.Blocking = false;
        while (client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectWrite))
        {
            client.Send(new byte[65536], SocketFlags.None, out _);
        }

        Assert.Equal(0, fixture.Stop());

        client.Blocking = true;
        Assert.Equal(SocketError.ConnectionReset, RelayFixture.Failure(client));
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => RelayFixture.ReadToEnd(server)).SocketErrorCode);
        using Socket later = fixture.Connect();
        Assert.False(listener.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
    }

    [Fact]
    public void Relay_AllAddresses_ServesBothFamilies()
    {
        using Socket listener = RelayFixture.Listener();
        using RelayFixture fixture = new(new PortRule(RelayFixture.PortOf(listener), "tcp", null, 0, 0));
        foreach (string address in (string[])["127.0.0.1", "::1"])
        {
            using Socket client = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(IPAddress.Parse(address), fixture.Place().Port);
            using Socket server = RelayFixture.Accept(listener);
            client.Send("x"u8);
            Assert.Equal(1, server.Receive(new byte[2]));
        }
    }

    private static void SendAll(Socket socket, byte[] data)
    {
        for (int at = 0; at < data.Length;)
        {
            at += socket.Send(data, at, Math.Min(100_000, data.Length - at), SocketFlags.None);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static bool IsReset(Socket socket)
    {
        try
        {
            socket.Send("x"u8);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
