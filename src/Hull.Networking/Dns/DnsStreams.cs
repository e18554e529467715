using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>The clients that ask by TCP (RFC 7766): lets them in, and those that do nothing out.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
internal sealed class DnsStreams : IDisposable
{
    /// <summary>Clients at once; further ones wait in the kernel's queue.</summary>
    public const int MaxClients = 64;

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _listener;
    private readonly DnsServer _server;
    private readonly Acceptor _acceptor;
    private readonly List<DnsStream> _clients = [];
    private Deadline? _sweep;

    /// <param name="listener">Owned from here on.</param>
    public DnsStreams(EventLoop loop, SafeFileHandle listener, DnsServer server)
    {
        _loop = loop;
        _listener = listener;
        _server = server;
        _acceptor = new Acceptor(loop, listener, OnConnection);
    }

    public int Count => _clients.Count;

    /// <summary>How long a client may do nothing, milliseconds.</summary>
    internal int IdleTime { get; set; } = 10_000;

    public void Dispose()
    {
        _acceptor.Dispose();
        _listener.Dispose();
        _sweep?.Dispose();
        while (_clients.Count > 0)
        {
            _clients[^1].Dispose();
        }
    }

    internal void Forget(DnsStream client)
    {
        _clients.Remove(client);
        _acceptor.IsOpen = true;
    }

    private void OnConnection(SafeFileHandle socket)
    {
        try
        {
            _clients.Add(new DnsStream(_loop, socket, this, _server));
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) found no room for another watch: this client is turned away.
            socket.Dispose();
            _acceptor.StandStill();
            return;
        }

        _sweep ??= _loop.After(TimeSpan.FromMilliseconds(IdleTime), Sweep);
        if (_clients.Count == MaxClients)
        {
            _acceptor.IsOpen = false;
        }
    }

    private void Sweep()
    {
        _sweep = null;
        long now = Environment.TickCount64;
        long next = long.MaxValue;
        for (int i = _clients.Count - 1; i >= 0; i--)
        {
            long due = _clients[i].LastProgress + IdleTime;
            if (due <= now && !_clients[i].IsWaiting)
            {
                _clients[i].Dispose();
            }
            else
            {
                next = Math.Min(next, Math.Max(due, now + 1000));
            }
        }

        if (next != long.MaxValue)
        {
            _sweep = _loop.After(TimeSpan.FromMilliseconds(next - now), Sweep);
        }
    }
}
