using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Hull.Linux;
using Hull.Networking.Dns;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Tests.Dns;

/// <summary>A server on a real loop in a thread of the test process, with real sockets on the loopback.</summary>
internal sealed class ServerFixture : IDisposable
{
    private readonly LoopThread _loop = new();

    public ServerFixture(params ReadOnlySpan<FakeUpstream> upstreams)
        : this(new FixedNames { Names = { ["web"] = ["10.0.0.2"] } }, upstreams)
    {
    }

    public ServerFixture(INameSource names, params ReadOnlySpan<FakeUpstream> upstreams)
    {
        (SafeFileHandle datagrams, SafeFileHandle listener) = TakePort();
        Port = InternetSockets.LocalEndpoint(datagrams).Port;
        Server = new DnsServer(_loop.Loop, datagrams, listener, names, Connect) { Upstreams = Set(upstreams) };
        _loop.Start();
    }

    public int Port { get; }

    public DnsServer Server { get; }

    public ConcurrentBag<Upstream> Connections { get; } = [];

    public static UpstreamSet Set(ReadOnlySpan<FakeUpstream> upstreams)
    {
        Upstream[] servers = new Upstream[upstreams.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            servers[i] = new Upstream(upstreams[i].Endpoint, FromContainer: i % 2 == 1);
        }

        return new UpstreamSet(servers) { Timeout = TimeSpan.FromMilliseconds(150) };
    }

    /// <summary>Runs on the loop's thread.</summary>
    public T Do<T>(Func<T> work) => _loop.Do(work);

    public Socket Udp()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 8000 };
        socket.Connect(IPAddress.Loopback, Port);
        return socket;
    }

    public Socket Tcp()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 8000, NoDelay = true };
        socket.Connect(IPAddress.Loopback, Port);
        return socket;
    }

    /// <summary>One question by UDP.</summary>
    public Reply Ask(byte[] query)
    {
        using Socket socket = Udp();
        socket.Send(query);
        return Receive(socket);
    }

    public static Reply Receive(Socket udp)
    {
        byte[] buffer = new byte[65535];
        return new Reply(buffer.AsSpan(0, udp.Receive(buffer)));
    }

    public static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    public static Reply ReceiveFramed(Socket tcp)
    {
        byte[] head = ReceiveAll(tcp, 2);
        return new Reply(ReceiveAll(tcp, (head[0] << 8) | head[1]));
    }

    public void Dispose()
    {
        int left = Do(() =>
        {
            Server.Dispose();
            return Server.Streams.Count + Server.InFlight;
        });
        _loop.Dispose();
        Assert.Equal(0, left);
    }

    internal static byte[] ReceiveAll(Socket tcp, int length)
    {
        byte[] buffer = new byte[length];
        for (int at = 0; at < length;)
        {
            int n = tcp.Receive(buffer, at, length - at, SocketFlags.None);
            Assert.True(n > 0, "the connection ended");
            at += n;
        }

        return buffer;
    }

    private static (SafeFileHandle Datagrams, SafeFileHandle Listener) TakePort()
    {
        while (true)
        {
            SafeFileHandle datagrams = InternetSockets.BindDatagrams(new SocketEndpoint(IPAddress.Loopback, 0));
            try
            {
                return (datagrams, InternetSockets.Listen(InternetSockets.LocalEndpoint(datagrams)));
            }
            catch (SyscallException error) when (error.Errno == Errno.EADDRINUSE)
            {
                // Another test's connection has the port for TCP.
                datagrams.Dispose();
            }
        }
    }

    private SafeFileHandle? Connect(Upstream server, bool stream, out Errno errno)
    {
        Connections.Add(server);
        return InternetSockets.TryConnect(server.Endpoint, stream, out errno);
    }
}
