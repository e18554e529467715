using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>The clients that ask by TCP (RFC 7766): lets them in, and those that do nothing out.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
internal sealed class DnsStreams : IDisposable
{
    /// <summary>Clients at once; further ones wait in the kernel's queue.</summary>
    public const int MaxClients = 64;

    /// <summary>How long nobody is let in where there is no descriptor for another one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _listener;
    private readonly DnsServer _server;
    private readonly Watch _watch;
    private readonly List<DnsStream> _clients = [];
    private Deadline? _sweep;
    private Deadline? _resume;

    /// <param name="listener">Owned from here on.</param>
    public DnsStreams(EventLoop loop, SafeFileHandle listener, DnsServer server)
    {
        _loop = loop;
        _listener = listener;
        _server = server;
        _watch = loop.Watch(listener, PollEvents.Readable, OnConnection);
    }

    public int Count => _clients.Count;

    /// <summary>How long a client may do nothing, milliseconds.</summary>
    internal int IdleTime { get; set; } = 10_000;

    public void Dispose()
    {
        _watch.Dispose();
        _listener.Dispose();
        _sweep?.Dispose();
        _resume?.Dispose();
        while (_clients.Count > 0)
        {
            _clients[^1].Dispose();
        }
    }

    internal void Forget(DnsStream client)
    {
        _clients.Remove(client);
        Resume();
    }

    private void OnConnection(PollEvents events)
    {
        SafeFileHandle? socket = InternetSockets.TryAccept(_listener, out Errno errno);
        if (socket is null)
        {
            if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS)
            {
                StandStill();
            }

            return;
        }

        try
        {
            _clients.Add(new DnsStream(_loop, socket, this, _server));
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) found no room for another watch: this client is turned away.
            socket.Dispose();
            StandStill();
            return;
        }

        _sweep ??= _loop.After(TimeSpan.FromMilliseconds(IdleTime), Sweep);
        if (_clients.Count == MaxClients)
        {
            _watch.Events = PollEvents.None;
        }
    }

    /// <summary>Level-triggered, the waiting client would be reported again and again.</summary>
    private void StandStill()
    {
        _watch.Events = PollEvents.None;
        _resume?.Dispose();
        _resume = _loop.After(Pause, Resume);
    }

    private void Resume()
    {
        try
        {
            _watch.Events = _clients.Count < MaxClients ? PollEvents.Readable : PollEvents.None;
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) finds no room yet.
            StandStill();
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
