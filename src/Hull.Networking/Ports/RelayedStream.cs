using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>One client and its connection into the container: two directions that end each on its own, and an error that ends both.</summary>
/// <remarks>Both sockets reset when they are closed, until both directions have come to their end. Belongs to the loop's thread.</remarks>
internal sealed class RelayedStream : IDisposable
{
    /// <summary>Seconds of silence after which the kernel asks whether a peer is still there.</summary>
    private const int KeepAlive = 60;

    private readonly StreamRelay _relay;
    private readonly SafeFileHandle _client;
    private readonly SafeFileHandle _server;
    private readonly RelayDirection _inwards;
    private readonly RelayDirection _outwards;
    private readonly Watch _clientWatch;
    private readonly Watch _serverWatch;
    private bool _connected;
    private bool _ended;

    /// <param name="client">Resets when closed. Owned from here on, as is the server, but for where this throws.</param>
    /// <param name="server">Connected, or on the way there.</param>
    /// <exception cref="SyscallException">They cannot be watched.</exception>
    public RelayedStream(EventLoop loop, StreamRelay relay, SafeFileHandle client, SafeFileHandle server)
    {
        (_relay, _client, _server) = (relay, client, server);
        InternetSockets.SetResetOnClose(server);
        foreach (SafeFileHandle socket in (ReadOnlySpan<SafeFileHandle>)[client, server])
        {
            InternetSockets.SetNoDelay(socket);
            InternetSockets.SetKeepAlive(socket, KeepAlive);
        }

        _inwards = new RelayDirection(client, server, relay.Pipes);
        _outwards = new RelayDirection(server, client, relay.Pipes);
        // What the client sends meanwhile waits; that it has gone is to be known.
        _clientWatch = loop.Watch(client, PollEvents.HangUp, events => Ready(events, _inwards, _outwards));
        try
        {
            _serverWatch = loop.Watch(server, PollEvents.Writable, OnServer);
        }
        catch
        {
            _clientWatch.Dispose();
            throw;
        }
    }

    /// <summary>Its place in the relay's list.</summary>
    public required int Slot { get; set; }

    /// <summary>Closes both connections: a reset, where they have not come to their end, and what is under way is lost.</summary>
    public void Dispose()
    {
        if (!_ended)
        {
            _ended = true;
            _clientWatch.Dispose();
            _serverWatch.Dispose();
            _inwards.Dispose();
            _outwards.Dispose();
            _client.Dispose();
            _server.Dispose();
            _relay.Forget(this);
        }
    }

    private void OnServer(PollEvents events)
    {
        if (_connected)
        {
            Ready(events, _outwards, _inwards);
        }
        else if (InternetSockets.PendingError(_server) == Errno.None && (events & PollEvents.HangUp) == 0)
        {
            _connected = true;
            Continue();
        }
        else
        {
            Dispose();
        }
    }

    /// <param name="from">The direction that begins at the socket with the events.</param>
    /// <param name="to">The one that ends there.</param>
    private void Ready(PollEvents events, RelayDirection from, RelayDirection to)
    {
        bool broken = (events & (PollEvents.Error | PollEvents.HangUp)) != 0;
        bool read = _connected && from.WantsInput && (broken || (events & PollEvents.Readable) != 0);
        bool write = to.WantsOutput && (broken || (events & PollEvents.Writable) != 0);
        // Neither: it was watched only for whether it breaks.
        if ((read || write) && (!read || from.TryMove()) && (!write || to.TryMove()))
        {
            Continue();
        }
        else
        {
            Dispose();
        }
    }

    private void Continue()
    {
        try
        {
            if (_inwards.IsOver && _outwards.IsOver)
            {
                InternetSockets.SetResetOnClose(_client, false);
                InternetSockets.SetResetOnClose(_server, false);
                Dispose();
                return;
            }

            _clientWatch.Events = Wanted(_inwards, _outwards);
            _serverWatch.Events = Wanted(_outwards, _inwards);
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) found no room.
            Dispose();
        }
    }

    private static PollEvents Wanted(RelayDirection from, RelayDirection to)
    {
        PollEvents events = (from.WantsInput ? PollEvents.Readable : PollEvents.None) | (to.WantsOutput ? PollEvents.Writable : PollEvents.None);
        // A hang-up means that both directions have ended (tcp_poll), or that it has broken; only before our end was sent it must be the
        // latter. After that it may be nothing new, and would be reported again and again.
        return events != PollEvents.None || to.IsOver ? events : PollEvents.HangUp;
    }
}
