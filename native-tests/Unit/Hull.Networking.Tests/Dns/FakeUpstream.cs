using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Hull.Linux;

namespace Hull.Networking.Tests.Dns;

/// <summary>A server outside, on the loopback, UDP and TCP on one port. What it answers is the test's.</summary>
internal sealed class FakeUpstream : IDisposable
{
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly ConcurrentQueue<Socket> _held = new();
    private readonly Func<byte[], IEnumerable<byte[]>> _answer;

    /// <param name="answer">The datagrams that follow a query; by TCP, the bytes after the length.</param>
    public FakeUpstream(Func<byte[], IEnumerable<byte[]>> answer)
    {
        _answer = answer;
        (_udp, _tcp) = TakePort();
        _tcp.Listen();
        Endpoint = new SocketEndpoint(IPAddress.Loopback, ((IPEndPoint)_udp.LocalEndPoint!).Port);
        new Thread(ServeUdp).Start();
        new Thread(ServeTcp).Start();
    }

    public SocketEndpoint Endpoint { get; }

    /// <summary>What came: the query, and the port it came from.</summary>
    public ConcurrentQueue<(byte[] Query, int Port, bool Stream)> Queries { get; } = new();

    public static FakeUpstream Answering(string address, int code = 0) => new(query => [Packets.Answer(query, address, code)]);

    public static FakeUpstream Silent() => new(_ => []);

    /// <summary>Nobody serves at its port any more.</summary>
    public static FakeUpstream Gone()
    {
        FakeUpstream upstream = Silent();
        upstream.Dispose();
        return upstream;
    }

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
        while (_held.TryDequeue(out Socket? client))
        {
            client.Dispose();
        }
    }

    private static (Socket Udp, Socket Tcp) TakePort()
    {
        while (true)
        {
            Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            try
            {
                tcp.Bind(udp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another test's connection has the port for TCP.
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    private void ServeUdp()
    {
        byte[] buffer = new byte[65535];
        try
        {
            while (true)
            {
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                int n = _udp.ReceiveFrom(buffer, ref from);
                byte[] query = buffer[..n];
                Queries.Enqueue((query, ((IPEndPoint)from).Port, false));
                foreach (byte[] answer in _answer(query))
                {
                    _udp.SendTo(answer, from);
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed: the end of the test.
        }
    }

    private void ServeTcp()
    {
        try
        {
            while (true)
            {
                Socket client = _tcp.Accept();
                _held.Enqueue(client);
                byte[] head = ServerFixture.ReceiveAll(client, 2);
                byte[] query = ServerFixture.ReceiveAll(client, (head[0] << 8) | head[1]);
                Queries.Enqueue((query, ((IPEndPoint)client.RemoteEndPoint!).Port, true));
                foreach (byte[] answer in _answer(query))
                {
                    // In pieces, as a network may deliver it.
                    foreach (byte piece in ServerFixture.Framed(answer))
                    {
                        client.Send([piece]);
                    }
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed: the end of the test.
        }
    }
}
