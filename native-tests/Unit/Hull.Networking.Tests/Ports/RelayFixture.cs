using System.Net;
using System.Net.Sockets;
using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Ports;

/// <summary>A relay on a real loop: clients at [::1], the container's side at 127.0.0.1, which no NAT could do.</summary>
internal sealed class RelayFixture : IDisposable
{
    private readonly LoopThread _loop = new();
    private readonly PortReservation _ports;
    private bool _stopped;

    /// <param name="port">The container's.</param>
    public RelayFixture(string protocol, int port)
        : this(new PortRule(port, protocol, IPAddress.IPv6Loopback, 0, 0))
    {
    }

    public RelayFixture(PortRule rule)
    {
        _ports = PortReservation.Take([rule], static (_, _) => null);
        Relay = new PortRelay(_loop.Loop, _ports, () =>
        {
            Asked++;
            return FailsWith is { } error ? throw error : Target;
        });
        _loop.Start();
    }

    public PortRelay Relay { get; }

    public IPAddress? Target { get; set; } = IPAddress.Loopback;

    public Exception? FailsWith { get; set; }

    /// <summary>How many times the container's address was wanted.</summary>
    public int Asked { get; private set; }

    public IPEndPoint Place(int index = 0) => new(_ports.Ports[index].HostAddress, _ports.Ports[index].HostPort);

    public T Do<T>(Func<T> work) => _loop.Do(work);

    public static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(64);
        return listener;
    }

    public static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public Socket Connect(int index = 0)
    {
        Socket client = new(Place(index).AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 8000, SendTimeout = 8000 };
        client.Connect(Place(index));
        return client;
    }

    /// <summary>The container's side of the next connection.</summary>
    public static Socket Accept(Socket listener)
    {
        Assert.True(listener.Poll(TimeSpan.FromSeconds(8), SelectMode.SelectRead), "nobody is connected to the container");
        Socket server = listener.Accept();
        server.ReceiveTimeout = server.SendTimeout = 8000;
        return server;
    }

    /// <summary>All that comes until the end of the stream.</summary>
    public static byte[] ReadToEnd(Socket socket)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        for (int n = socket.Receive(buffer); n > 0; n = socket.Receive(buffer))
        {
            all.Write(buffer, 0, n);
        }

        return all.ToArray();
    }

    public static SocketError Failure(Socket socket) =>
        Assert.Throws<SocketException>(() => socket.Receive(new byte[1])).SocketErrorCode;

    /// <summary>Until the loop has seen something.</summary>
    public void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(() => Do(condition), 8000));

    /// <summary>Ends the relay.</summary>
    /// <returns>What is left.</returns>
    public int Stop()
    {
        _stopped = true;
        return Do(() =>
        {
            Relay.Dispose();
            return Relay.Streams.Count + Relay.Streams.Pipes.Spare + Relay.Datagrams.Count;
        });
    }

    public void Dispose()
    {
        int left = _stopped ? 0 : Stop();
        _loop.Dispose();
        _ports.Dispose();
        Assert.Equal(0, left);
    }
}
