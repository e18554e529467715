using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>One UDP client and its socket towards the container.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
internal sealed class RelayedFlow : IDisposable
{
    private readonly DatagramRelay _relay;
    private readonly SafeFileHandle _server;
    private readonly DatagramRelay.FlowKey _key;
    private readonly Watch _watch;

    /// <param name="server">Connected; owned from here on, but for where this throws.</param>
    /// <exception cref="SyscallException">It cannot be watched.</exception>
    public RelayedFlow(EventLoop loop, DatagramRelay relay, SafeFileHandle server, in DatagramRelay.FlowKey key)
    {
        (_relay, _server, _key) = (relay, server, key);
        _watch = loop.Watch(server, PollEvents.Readable, _ => OnAnswers());
    }

    /// <summary>When either side said something, in milliseconds (TickCount64).</summary>
    public long LastUsed { get; private set; } = Environment.TickCount64;

    public void Send(ReadOnlySpan<byte> data)
    {
        LastUsed = Environment.TickCount64;
        int n = InternetSockets.TrySend(_server, data, null, out Errno errno);
        if (n < 0 && errno == Errno.ECONNREFUSED)
        {
            // What was sent before came to a closed port (udp(7)); now there may be somebody.
            n = InternetSockets.TrySend(_server, data, null, out errno);
        }

        if (n < 0 && HasMoved(errno))
        {
            _relay.End(_key);
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        _server.Dispose();
    }

    private void OnAnswers()
    {
        for (int i = 0; i < DatagramRelay.Batch; i++)
        {
            int n = InternetSockets.TryReceive(_server, _relay.Buffer, out Errno errno);
            if (n >= 0)
            {
                LastUsed = Environment.TickCount64;
                _relay.Answer(_key, _relay.Buffer.AsSpan(0, n));
            }
            else if (HasMoved(errno))
            {
                _relay.End(_key);
                return;
            }
            else if (errno != Errno.ECONNREFUSED)
            {
                return;
            }
        }
    }

    /// <summary>Nobody is at the container's address any more; the client's next datagram asks anew for where it is.</summary>
    private static bool HasMoved(Errno errno) =>
        errno is Errno.EHOSTUNREACH or Errno.ENETUNREACH or Errno.EHOSTDOWN or Errno.ENETDOWN;
}
