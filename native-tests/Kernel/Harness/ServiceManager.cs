using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Hull.Kernel.Tests.Harness;

/// <summary>The socket of a service manager that hears when its services are ready (sd_notify(3)).</summary>
public sealed class ServiceManager : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<string> _heard = new();
    private readonly Thread _reader;
    private volatile bool _ended;

    /// <param name="address">A path, or a name of the abstract namespace with <c>@</c> before it.</param>
    public ServiceManager(string address)
    {
        Address = address;
        _socket.Bind(new UnixDomainSocketEndPoint(address.StartsWith('@') ? "\0" + address[1..] : address));
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    public string Address { get; }

    /// <summary>The datagrams so far.</summary>
    public IReadOnlyList<string> Heard => [.. _heard];

    public void Dispose()
    {
        _ended = true;
        _reader.Join();
        _socket.Dispose();
    }

    private void Read()
    {
        byte[] buffer = new byte[4096];
        while (!_ended)
        {
            if (_socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
            {
                // The kernel closes the descriptor of BARRIER=1 that nobody takes: the answer that its sender waits for, so it has
                // to be heard before it is taken.
                _heard.Enqueue(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer, SocketFlags.Peek)));
                _socket.Receive(buffer);
            }
        }
    }
}
