using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>The TCP ports of a <see cref="PortRelay"/>: lets clients in and connects each to the container.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
/// <param name="target">The container's, for one of its ports.</param>
internal sealed class StreamRelay(EventLoop loop, Func<int, SocketEndpoint?> target) : IDisposable
{
    /// <summary>Connections at once; further clients wait in the kernel's queue. Each has two descriptors, and four more while bytes are
    /// under way.</summary>
    public const int MaxConnections = 512;

    private readonly List<Acceptor> _acceptors = [];
    private readonly List<RelayedStream> _streams = [];

    public int Count => _streams.Count;

    public RelayPipes Pipes { get; } = new();

    /// <param name="listener">Stays the caller's.</param>
    public void Add(SafeFileHandle listener, int port) => _acceptors.Add(new Acceptor(loop, listener, client => Connect(client, port)));

    public void Dispose()
    {
        _acceptors.ForEach(static one => one.Dispose());
        while (_streams.Count > 0)
        {
            _streams[^1].Dispose();
        }
    }

    internal void Forget(RelayedStream stream)
    {
        RelayedStream last = _streams[^1];
        _streams[stream.Slot] = last;
        last.Slot = stream.Slot;
        _streams.RemoveAt(_streams.Count - 1);
        if (_streams.Count == 0)
        {
            Pipes.Clear();
        }

        _acceptors.ForEach(static one => one.IsOpen = true);
    }

    private void Connect(SafeFileHandle client, int port)
    {
        SafeFileHandle? server = null;
        Errno errno = Errno.None;
        try
        {
            // Whatever happens before the two are joined is a port that is closed.
            InternetSockets.SetResetOnClose(client);
            server = target(port) is { } place ? InternetSockets.TryConnect(place, stream: true, out errno) : null;
            if (server is not null)
            {
                _streams.Add(new RelayedStream(loop, this, client, server) { Slot = _streams.Count });
                if (_streams.Count >= MaxConnections)
                {
                    _acceptors.ForEach(static one => one.IsOpen = false);
                }

                return;
            }
        }
        catch (SyscallException e)
        {
            // epoll_ctl(2) found no room for another watch.
            errno = e.Errno;
        }

        client.Dispose();
        server?.Dispose();
        if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS or Errno.ENOSPC)
        {
            _acceptors.ForEach(static one => one.StandStill());
        }
    }
}
