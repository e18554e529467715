using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>The monitor's end of one conversation: cuts what comes into frames, keeps what does not go out at once.</summary>
/// <remarks>Belongs to the loop's thread. Ends when the peer closes, when it sends what is no frame, or by <see cref="Finish"/>.</remarks>
internal sealed class Client : IDisposable
{
    private readonly SafeFileHandle _socket;
    private readonly Watch _watch;
    private byte[] _received = [];
    private int _receivedStart;
    private int _receivedEnd;
    private byte[] _backlog = [];
    private int _backlogStart;
    private int _backlogEnd;
    private bool _reading = true;
    private bool _finishing;
    private bool _disposed;

    /// <summary>Takes one whole frame.</summary>
    public delegate void FrameHandler(Client client, FrameKind kind, ReadOnlySpan<byte> payload);

    /// <param name="socket">Non-blocking; owned from here on.</param>
    public Client(EventLoop loop, SafeFileHandle socket)
    {
        _socket = socket;
        _watch = loop.Watch(socket, PollEvents.Readable, Ready);
    }

    public FrameHandler? Handler { get; set; }

    /// <summary>The peer took some of the backlog.</summary>
    public Action<Client>? Drained { get; set; }

    /// <summary>The conversation is over, whoever ended it. Called once.</summary>
    public Action<Client>? Closed { get; set; }

    /// <summary>Bytes that the peer has not taken yet.</summary>
    public int Backlog => _backlogEnd - _backlogStart;

    /// <summary>When the peer last took something, in milliseconds (TickCount64).</summary>
    public long LastProgress { get; private set; } = Environment.TickCount64;

    /// <summary>False stops handling frames and reading more of them, until it is set again.</summary>
    public bool Reading
    {
        get => _reading;
        set
        {
            if (_reading != value)
            {
                _reading = value;
                UpdateWatch();
                if (value)
                {
                    HandleFrames();
                }
            }
        }
    }

    public void Send(FrameWriter frame) => Send(frame.Finish());

    public void Send(FrameKind kind)
    {
        Span<byte> header = stackalloc byte[Frame.HeaderLength];
        Frame.WriteHeader(header, kind, 0);
        Send(header);
    }

    /// <summary>Sends a whole frame, keeping what the socket does not take now. Bounding the backlog is the caller's matter.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        if (_disposed || _finishing)
        {
            return;
        }

        if (Backlog == 0)
        {
            int n = UnixSockets.TrySend(_socket, frame, out Errno errno);
            if (n < 0 && errno != Errno.EAGAIN)
            {
                // The peer is gone; the hang-up that epoll reports next closes the conversation at a safe place.
                return;
            }

            LastProgress = Environment.TickCount64;
            if (n == frame.Length)
            {
                return;
            }

            frame = frame[Math.Max(n, 0)..];
        }

        Keep(frame);
        UpdateWatch();
    }

    /// <summary>Ends the conversation as soon as the backlog has gone out.</summary>
    public void Finish()
    {
        _finishing = true;
        if (Backlog == 0)
        {
            Dispose();
        }
        else
        {
            UpdateWatch();
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _watch.Dispose();
            _socket.Dispose();
            _backlogStart = _backlogEnd = 0;
            Closed?.Invoke(this);
        }
    }

    private void Ready(PollEvents events)
    {
        if ((events & PollEvents.Writable) != 0)
        {
            Flush();
        }

        if (!_disposed && (events & PollEvents.Readable) != 0 && _reading && !_finishing)
        {
            Receive();
        }
        else if (!_disposed && (events & (PollEvents.HangUp | PollEvents.Error)) != 0)
        {
            Dispose();
        }
    }

    private void Receive()
    {
        Compact(ref _received, ref _receivedStart, ref _receivedEnd, 4096);
        int n = UnixSockets.TryReceive(_socket, _received.AsSpan(_receivedEnd), out Errno errno);
        if (n < 0 && errno == Errno.EAGAIN)
        {
            return;
        }

        if (n <= 0)
        {
            Dispose();
            return;
        }

        _receivedEnd += n;
        HandleFrames();
    }

    private void HandleFrames()
    {
        while (_reading && !_disposed && !_finishing)
        {
            FrameKind kind;
            ReadOnlySpan<byte> payload;
            int needed;
            try
            {
                if (!Frame.TryRead(_received.AsSpan(_receivedStart, _receivedEnd - _receivedStart), out kind, out payload, out needed))
                {
                    if (_receivedStart == _receivedEnd && _received.Length > Frame.MaximumData * 2)
                    {
                        // A large request has passed; its room is given back.
                        _received = [];
                        _receivedStart = _receivedEnd = 0;
                    }
                    else if (needed > _received.Length)
                    {
                        Compact(ref _received, ref _receivedStart, ref _receivedEnd, needed - (_receivedEnd - _receivedStart));
                    }

                    return;
                }

                _receivedStart += needed;
                Handler?.Invoke(this, kind, payload);
            }
            catch (InvalidDataException)
            {
                // No peer of ours, or one with a defect: its conversation ends, the container's life does not.
                Dispose();
                return;
            }
        }
    }

    private void Flush()
    {
        if (Backlog > 0)
        {
            int n = UnixSockets.TrySend(_socket, _backlog.AsSpan(_backlogStart, Backlog), out Errno errno);
            if (n < 0)
            {
                if (errno != Errno.EAGAIN)
                {
                    Dispose();
                }

                return;
            }

            LastProgress = Environment.TickCount64;
            _backlogStart += n;
        }

        if (Backlog == 0)
        {
            _backlog = [];
            _backlogStart = _backlogEnd = 0;
            if (_finishing)
            {
                Dispose();
                return;
            }
        }

        UpdateWatch();
        Drained?.Invoke(this);
    }

    private void Keep(ReadOnlySpan<byte> data)
    {
        Compact(ref _backlog, ref _backlogStart, ref _backlogEnd, data.Length);
        data.CopyTo(_backlog.AsSpan(_backlogEnd));
        _backlogEnd += data.Length;
    }

    private void UpdateWatch()
    {
        PollEvents events = _reading && !_finishing ? PollEvents.Readable : PollEvents.None;
        _watch.Events = Backlog > 0 ? events | PollEvents.Writable : events;
    }

    /// <summary>Moves what is in a buffer to its front and makes room behind it.</summary>
    private static void Compact(ref byte[] buffer, ref int start, ref int end, int room)
    {
        int length = end - start;
        byte[] target = buffer.Length - length >= room ? buffer : new byte[Math.Max(length + room, buffer.Length * 2)];
        buffer.AsSpan(start, length).CopyTo(target);
        buffer = target;
        start = 0;
        end = length;
    }
}
