using System.Buffers.Binary;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>One client that asks by TCP: queries one after the other without waiting, answers as they come (RFC 7766 section 6.2.1.1).</summary>
/// <remarks>Reads no further while it has many questions out or does not take its answers. What is no query, or too long, ends the
/// conversation. Belongs to the loop's thread.</remarks>
internal sealed class DnsStream : IDnsClient, IDisposable
{
    private const int MaxWaiting = 16;

    /// <summary>Bytes of answers not taken, above which no more queries are read.</summary>
    private const int MaxBacklog = 65536;

    private readonly SafeFileHandle _socket;
    private readonly Watch _watch;
    private readonly DnsStreams _streams;
    private readonly DnsServer _server;
    private byte[] _input = [];
    private int _inputLength;
    private byte[] _output = [];
    private int _outputStart;
    private int _outputEnd;
    private int _waiting;
    private bool _handling;
    private bool _ended;
    private bool _disposed;

    /// <param name="socket">Non-blocking; owned from here on.</param>
    /// <exception cref="SyscallException">It cannot be watched; the socket stays the caller's.</exception>
    public DnsStream(EventLoop loop, SafeFileHandle socket, DnsStreams streams, DnsServer server)
    {
        _socket = socket;
        _streams = streams;
        _server = server;
        _watch = loop.Watch(socket, PollEvents.Readable, Ready);
    }

    /// <summary>When a query came or an answer was taken, in milliseconds (TickCount64).</summary>
    public long LastProgress { get; private set; } = Environment.TickCount64;

    /// <summary>The next move is not the client's.</summary>
    public bool IsWaiting => _waiting > 0;

    private int Backlog => _outputEnd - _outputStart;

    private bool MayHandle => _waiting < MaxWaiting && Backlog < MaxBacklog;

    public void Take(in SocketEndpoint from, ReadOnlySpan<byte> message)
    {
        _waiting--;
        if (_disposed)
        {
            return;
        }

        Keep(message);
        if (!_handling)
        {
            // An answer from outside: there may be queries that had to wait for it.
            Advance();
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _watch.Dispose();
            _socket.Dispose();
            _streams.Forget(this);
        }
    }

    private void Ready(PollEvents events)
    {
        if ((events & (PollEvents.Error | PollEvents.HangUp)) != 0 || ((events & PollEvents.Readable) != 0 && !TryRead()))
        {
            Dispose();
            return;
        }

        Advance();
    }

    /// <returns>False where the connection is broken.</returns>
    private bool TryRead()
    {
        if (_input.Length == 0)
        {
            _input = new byte[2 + DnsServer.MaxQuery];
        }

        if (_inputLength == _input.Length)
        {
            // Something else in this turn had no more room for questions. Nothing read is not the end of the stream.
            return true;
        }

        int n = InternetSockets.TryReceive(_socket, _input.AsSpan(_inputLength), out Errno errno);
        _inputLength += Math.Max(n, 0);
        _ended |= n == 0;
        return n >= 0 || errno == Errno.EAGAIN;
    }

    /// <summary>Handles the queries that are whole, sends what is to be sent, and waits for what comes next.</summary>
    private void Advance()
    {
        try
        {
            _handling = true;
            bool sound;
            do
            {
                sound = TryHandle() && TrySend();
            }
            // What was sent may have made room for the queries that are left.
            while (sound && MayHandle && QueryLength(0) >= 0);
            _handling = false;
            if (sound && !(_ended && _waiting == 0 && Backlog == 0))
            {
                _watch.Events = (MayHandle && !_ended ? PollEvents.Readable : PollEvents.None) | (Backlog > 0 ? PollEvents.Writable : PollEvents.None);
                return;
            }
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) found no room: the client, turned away, asks again.
        }

        Dispose();
    }

    /// <returns>False where something is no query.</returns>
    private bool TryHandle()
    {
        int at = 0;
        for (int length = QueryLength(at); length >= 0 && MayHandle; length = QueryLength(at))
        {
            if (length > DnsServer.MaxQuery)
            {
                return false;
            }

            _waiting++;
            LastProgress = Environment.TickCount64;
            if (!_server.Handle(_input.AsSpan(at + 2, length), isDatagram: false, this, default))
            {
                return false;
            }

            at += 2 + length;
        }

        _input.AsSpan(at, _inputLength - at).CopyTo(_input);
        _inputLength -= at;
        return true;
    }

    /// <summary>The length of the query at a place of the input; below 0 where it is not all there. One that is too long is known by
    /// its length alone.</summary>
    private int QueryLength(int at)
    {
        if (_inputLength - at < 2)
        {
            return -1;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(_input.AsSpan(at));
        return length > DnsServer.MaxQuery || _inputLength - at - 2 >= length ? length : -1;
    }

    /// <returns>False where the connection is broken.</returns>
    private bool TrySend()
    {
        if (Backlog == 0)
        {
            return true;
        }

        int n = InternetSockets.TrySend(_socket, _output.AsSpan(_outputStart, Backlog), null, out Errno errno);
        if (n < 0)
        {
            return errno == Errno.EAGAIN;
        }

        LastProgress = Environment.TickCount64;
        _outputStart += n;
        if (Backlog == 0)
        {
            _output = [];
            _outputStart = _outputEnd = 0;
        }

        return true;
    }

    private void Keep(ReadOnlySpan<byte> message)
    {
        int needed = Backlog + 2 + message.Length;
        byte[] target = _outputEnd + 2 + message.Length <= _output.Length ? _output : new byte[Math.Max(needed, Backlog * 2)];
        if (target != _output)
        {
            _output.AsSpan(_outputStart, Backlog).CopyTo(target);
            (_output, _outputStart, _outputEnd) = (target, 0, Backlog);
        }

        BinaryPrimitives.WriteUInt16BigEndian(_output.AsSpan(_outputEnd), (ushort)message.Length);
        message.CopyTo(_output.AsSpan(_outputEnd + 2));
        _outputEnd += 2 + message.Length;
    }
}
