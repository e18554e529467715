using Hull.Linux;

namespace Hull.Networking.Dns;

/// <summary>Passes questions on to the servers outside, unread but for the question itself, and their answers back.</summary>
/// <remarks>
/// Each attempt has a connected socket and a random id of its own: the kernel picks the port and drops what comes from anywhere but
/// the server, so who wants to slip in an answer has to guess id and port of one question (RFC 5452). Nothing is open while
/// nothing is in flight. Belongs to the loop's thread.
/// </remarks>
internal sealed class DnsForwarder(EventLoop loop, UpstreamConnector connect) : IDisposable
{
    /// <summary>Questions in flight; a resolver that does not answer must not take the monitor's descriptors or memory.</summary>
    public const int MaxInFlight = 256;

    private readonly List<ForwardedQuery> _inFlight = [];
    private byte[]? _buffer;
    private Deadline? _alarm;
    private long _alarmAt;

    /// <summary>Whom to ask from the next attempt on.</summary>
    public UpstreamSet Upstreams { get; set; } = UpstreamSet.None;

    public int InFlight => _inFlight.Count;

    internal EventLoop Loop => loop;

    internal UpstreamConnector Connect => connect;

    /// <summary>Room for the longest datagram; whoever fills it is done with it before the loop goes on.</summary>
    internal byte[] Buffer => _buffer ??= GC.AllocateUninitializedArray<byte>(ushort.MaxValue, pinned: true);

    /// <summary>Asks; the client gets an answer in any case, in time, perhaps before this returns.</summary>
    /// <param name="message">A query with one question.</param>
    /// <param name="stream">By TCP.</param>
    /// <returns>False where too many are in flight.</returns>
    public bool TryForward(ReadOnlySpan<byte> message, bool stream, IDnsClient client, in SocketEndpoint from)
    {
        if (_inFlight.Count >= MaxInFlight)
        {
            return false;
        }

        ForwardedQuery query = new(this, message, stream, client, from) { Slot = _inFlight.Count };
        _inFlight.Add(query);
        query.Attempt();
        return true;
    }

    public void Dispose()
    {
        _alarm?.Dispose();
        foreach (ForwardedQuery query in _inFlight)
        {
            query.Dispose();
        }

        _inFlight.Clear();
    }

    internal void Forget(ForwardedQuery query)
    {
        ForwardedQuery last = _inFlight[^1];
        _inFlight[query.Slot] = last;
        last.Slot = query.Slot;
        _inFlight.RemoveAt(_inFlight.Count - 1);
    }

    /// <summary>Makes sure that what is overdue is looked at by then. One alarm for all: most questions are answered before theirs.</summary>
    internal void WakeBy(long at)
    {
        if (_alarm is null || at < _alarmAt)
        {
            _alarm?.Dispose();
            _alarmAt = at;
            _alarm = loop.After(TimeSpan.FromMilliseconds(Math.Max(0, at - Environment.TickCount64)), OnAlarm);
        }
    }

    private void OnAlarm()
    {
        _alarm = null;
        long now = Environment.TickCount64;
        // From the end: a question that ends here has its place taken by the last one, which was looked at.
        for (int i = _inFlight.Count - 1; i >= 0; i = Math.Min(i, _inFlight.Count) - 1)
        {
            if (_inFlight[i].Due <= now)
            {
                _inFlight[i].Fail();
            }
        }

        foreach (ForwardedQuery query in _inFlight)
        {
            WakeBy(query.Due);
        }
    }
}
