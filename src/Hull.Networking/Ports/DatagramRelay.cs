using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>The UDP ports of a <see cref="PortRelay"/>: each client has a socket of its own towards the container, so that answers are
/// known by it.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
/// <param name="target">The container's, for one of its ports.</param>
internal sealed class DatagramRelay(EventLoop loop, Func<int, SocketEndpoint?> target) : IDisposable
{
    /// <summary>Clients at once; what further ones send is lost, as in a network that is overloaded.</summary>
    public const int MaxFlows = 512;

    /// <summary>Datagrams of one turn of the loop and one socket; others wait for theirs.</summary>
    public const int Batch = 32;

    private readonly List<(SafeFileHandle Socket, int Port, Watch Watch)> _ports = [];
    private readonly Dictionary<FlowKey, RelayedFlow> _flows = [];
    private byte[]? _buffer;
    private Deadline? _sweep;

    /// <param name="Client">To whom answers go.</param>
    /// <param name="Host">The host's address that was sent to, from which they come.</param>
    internal readonly record struct FlowKey(int Port, SocketEndpoint Client, SocketEndpoint Host);

    public int Count => _flows.Count;

    public bool IsSweeping => _sweep is not null;

    /// <summary>How long a client is remembered when neither side says anything, milliseconds.</summary>
    internal int IdleTime { get; set; } = 90_000;

    /// <summary>Room for the longest datagram; whoever fills it is done with it before the loop goes on.</summary>
    internal byte[] Buffer => _buffer ??= GC.AllocateUninitializedArray<byte>(ushort.MaxValue, pinned: true);

    /// <param name="socket">Stays the caller's.</param>
    public void Add(SafeFileHandle socket, int port)
    {
        InternetSockets.TellDestinations(socket);
        int index = _ports.Count;
        _ports.Add((socket, port, loop.Watch(socket, PollEvents.Readable, _ => OnDatagrams(index))));
    }

    public void Dispose()
    {
        _ports.ForEach(static one => one.Watch.Dispose());
        _sweep?.Dispose();
        foreach (RelayedFlow flow in _flows.Values)
        {
            flow.Dispose();
        }

        _flows.Clear();
    }

    internal void Answer(in FlowKey to, ReadOnlySpan<byte> data)
    {
        // A client that has gone, or has no room, loses it: as with any datagram. A pending error is of an earlier answer, to whomever.
        if (InternetSockets.TrySend(_ports[to.Port].Socket, data, to.Host, to.Client, out Errno errno) < 0 && errno == Errno.ECONNREFUSED)
        {
            InternetSockets.TrySend(_ports[to.Port].Socket, data, to.Host, to.Client, out _);
        }
    }

    internal void End(in FlowKey key)
    {
        if (_flows.Remove(key, out RelayedFlow? flow))
        {
            flow.Dispose();
        }

        if (_flows.Count == 0)
        {
            _sweep?.Dispose();
            _sweep = null;
            _buffer = null;
        }
    }

    private void OnDatagrams(int index)
    {
        (SafeFileHandle socket, int port, _) = _ports[index];
        for (int i = 0; i < Batch; i++)
        {
            int n = InternetSockets.TryReceive(socket, Buffer, out SocketEndpoint client, out SocketEndpoint host, out Errno errno);
            if (n < 0 && errno != Errno.ECONNREFUSED)
            {
                // EAGAIN; anything else (ENOMEM) is over by the next turn, or that says it again.
                break;
            }

            if (n >= 0 && FlowOf(new FlowKey(index, client, host), port) is { } flow)
            {
                flow.Send(Buffer.AsSpan(0, n));
            }
        }

        if (_flows.Count == 0)
        {
            _buffer = null;
        }
    }

    /// <returns>Null where there cannot be one.</returns>
    private RelayedFlow? FlowOf(in FlowKey key, int port)
    {
        if (_flows.TryGetValue(key, out RelayedFlow? known))
        {
            return known;
        }

        if (_flows.Count >= MaxFlows || target(port) is not { } place || InternetSockets.TryConnect(place, stream: false, out _) is not { } server)
        {
            return null;
        }

        try
        {
            RelayedFlow flow = new(loop, this, server, key);
            _flows.Add(key, flow);
            _sweep ??= loop.After(TimeSpan.FromMilliseconds(IdleTime), Sweep);
            return flow;
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) found no room for another watch.
            server.Dispose();
            return null;
        }
    }

    private void Sweep()
    {
        _sweep = null;
        long now = Environment.TickCount64;
        long next = long.MaxValue;
        foreach ((FlowKey key, RelayedFlow flow) in _flows)
        {
            long due = flow.LastUsed + IdleTime;
            if (due <= now)
            {
                // A dictionary may lose entries while it is gone through.
                End(key);
            }
            else
            {
                next = Math.Min(next, due);
            }
        }

        if (next != long.MaxValue)
        {
            // Not one by one where many come to their end together.
            _sweep = loop.After(TimeSpan.FromMilliseconds(Math.Max(next - now, IdleTime / 8)), Sweep);
        }
    }
}
