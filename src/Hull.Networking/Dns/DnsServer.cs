using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>The DNS server of one container, at 127.0.0.11 inside of it: answers the networks' names itself and has the rest
/// answered outside.</summary>
/// <remarks>Belongs to the loop's thread. Nothing here blocks, throws at the loop, or costs anything while nobody asks.</remarks>
public sealed class DnsServer : IDnsClient, IDisposable
{
    /// <summary>Longest query; one name of 255 bytes and some options are far below.</summary>
    internal const int MaxQuery = 4096;

    /// <summary>Longest answer by UDP: the loopback carries it whole.</summary>
    private const int MaxDatagram = 4096;

    /// <summary>Datagrams of one turn of the loop; others wait for theirs.</summary>
    private const int Batch = 32;

    private readonly SafeFileHandle _datagrams;
    private readonly Watch _watch;
    private readonly DnsResponder _responder;
    private readonly DnsForwarder _forwarder;
    private byte[] _query = [];
    private byte[] _answer = [];

    /// <param name="loop">Serves from its next turn on.</param>
    /// <param name="datagrams">A bound UDP socket, non-blocking; owned from here on.</param>
    /// <param name="listener">A listening TCP socket, non-blocking; owned from here on.</param>
    /// <param name="names">Asked first; stays the caller's.</param>
    /// <param name="connect">Makes the sockets of what is forwarded.</param>
    public DnsServer(EventLoop loop, SafeFileHandle datagrams, SafeFileHandle listener, INameSource names, UpstreamConnector connect)
    {
        _datagrams = datagrams;
        _responder = new DnsResponder(names);
        _forwarder = new DnsForwarder(loop, connect);
        Streams = new DnsStreams(loop, listener, this);
        _watch = loop.Watch(datagrams, PollEvents.Readable, OnDatagrams);
    }

    /// <summary>Asked, before a question is forwarded, for the <see cref="Upstreams"/> from then on; null where those stay as they are.</summary>
    public Func<UpstreamSet>? CurrentUpstreams { get; init; }

    /// <summary>Called before each question is looked at.</summary>
    public Action? Refresh { get; init; }

    /// <summary>Who is asked what is unknown here. With <see cref="UpstreamSet.None"/>, at first, nobody: such names do not exist. What is in
    /// flight when it changes gets no further attempt.</summary>
    public UpstreamSet Upstreams
    {
        get => _forwarder.Upstreams;
        set => _forwarder.Upstreams = value;
    }

    internal int InFlight => _forwarder.InFlight;

    internal DnsStreams Streams { get; }

    public void Dispose()
    {
        _watch.Dispose();
        _datagrams.Dispose();
        Streams.Dispose();
        _forwarder.Dispose();
    }

    void IDnsClient.Take(in SocketEndpoint from, ReadOnlySpan<byte> message)
    {
        // A client that has gone, or has no room, asks again or does not: as with any datagram.
        InternetSockets.TrySend(_datagrams, message, from, out _);
    }

    /// <summary>Answers a message, now or later.</summary>
    /// <param name="from">As <see cref="IDnsClient.Take"/> wants it.</param>
    /// <returns>False where the message is no query.</returns>
    internal bool Handle(ReadOnlySpan<byte> message, bool isDatagram, IDnsClient client, in SocketEndpoint from)
    {
        if (_answer.Length == 0)
        {
            // Pinned, so that no collection copies it: only what answers have touched takes memory.
            _answer = GC.AllocateUninitializedArray<byte>(ushort.MaxValue, pinned: true);
        }

        Refresh?.Invoke();
        Span<byte> answer = isDatagram ? _answer.AsSpan(0, MaxDatagram) : _answer;
        DnsOutcome outcome = _responder.Answer(message, isDatagram, answer, out int length);
        if (outcome == DnsOutcome.Dropped)
        {
            return false;
        }

        if (outcome == DnsOutcome.Unknown)
        {
            Upstreams = CurrentUpstreams?.Invoke() ?? Upstreams;
            if (Upstreams.Servers.Count > 0 && _forwarder.TryForward(message, !isDatagram, client, from))
            {
                return true;
            }

            length = DnsResponder.Refuse(message, Upstreams.Servers.Count > 0 ? DnsCode.ServerFailure : DnsCode.NameError, answer);
        }

        client.Take(from, answer[..length]);
        return true;
    }

    private void OnDatagrams(PollEvents events)
    {
        if (_query.Length == 0)
        {
            _query = new byte[MaxQuery + 1];
        }

        for (int i = 0; i < Batch; i++)
        {
            int n = InternetSockets.TryReceive(_datagrams, _query, out SocketEndpoint from, out Errno errno);
            if (n < 0)
            {
                // EAGAIN; anything else (ENOMEM) is over by the next turn, or that says it again.
                return;
            }

            // A longer one has been cut off; its sender hears nothing, as from a network that lost it.
            if (n <= MaxQuery)
            {
                Handle(_query.AsSpan(0, n), isDatagram: true, this, from);
            }
        }
    }
}
