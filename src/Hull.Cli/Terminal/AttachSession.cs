using Hull.Engine.Monitor;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Terminal;

/// <summary>How an attachment ended.</summary>
internal enum AttachEnd
{
    /// <summary>The process ended; the exit code is known.</summary>
    Exited,

    /// <summary>The detach keys were typed.</summary>
    DetachedByUser,

    /// <summary>The monitor ended the attachment; the reason is known.</summary>
    DetachedByMonitor,

    /// <summary>The monitor went away without a word: it was killed.</summary>
    Lost,
}

/// <summary>The outcome of <see cref="AttachSession.Run"/>.</summary>
internal sealed record AttachResult(AttachEnd End, ExitNotice? Exit = null, string? Reason = null);

/// <summary>Which streams a session joins, and how.</summary>
internal sealed record AttachOptions
{
    /// <summary>Where what is typed comes from; null where standard input is not attached.</summary>
    public SafeFileHandle? Input { get; init; }

    public required SafeFileHandle Output { get; init; }

    public required SafeFileHandle Error { get; init; }

    /// <summary>The process has a terminal: ours, where it is one, goes raw and gives its size.</summary>
    public bool Tty { get; init; }

    public required DetachKeys DetachKeys { get; init; }

    /// <summary>Pass signals on to the process.</summary>
    public bool Proxy { get; init; }

    /// <summary>Already open where the caller opened it early; disposed by the session.</summary>
    public SignalForwarding? Signals { get; init; }
}

/// <summary>Copies between this process's streams and a conversation with a monitor, on one thread around poll(2), until the
/// process ends or the user detaches.</summary>
/// <remarks>Input is read only when the monitor's socket has room for a chunk, and output is taken in all the while:
/// with blocking copies in both directions <c>run -i … cat</c> of a big file would block itself.</remarks>
internal sealed class AttachSession : IDisposable
{
    /// <summary>With its overhead well under the room that POLLOUT of a unix socket promises (a quarter of 208 KiB, unix(7)).</summary>
    private const int Chunk = 16 * 1024;

    private readonly MonitorConnection _connection;
    private readonly AttachOptions _options;
    private readonly byte[] _input = new byte[Chunk];
    private readonly byte[] _filtered = new byte[Chunk + 64];
    private SignalForwarding? _signals;
    private RawTerminal? _raw;
    private bool _inputOpen;

    private AttachSession(MonitorConnection connection, AttachOptions options)
    {
        _connection = connection;
        _options = options;
        _signals = options.Signals;
        _inputOpen = options.Input is not null;
    }

    private bool HasTerminal => _options is { Tty: true, Input: not null } && Terminals.IsTerminal(_options.Input);

    /// <summary>Takes ownership of the conversation.</summary>
    public static AttachResult Run(MonitorConnection connection, AttachOptions options)
    {
        using AttachSession session = new(connection, options);
        return session.Relay();
    }

    /// <summary>The size of the terminal that the user looks at; null where there is none.</summary>
    public static TerminalSize? TerminalSizeOf(SafeFileHandle input, SafeFileHandle output) =>
        Terminals.TryGetSize(output) is { Rows: > 0 } size ? size : Terminals.TryGetSize(input);

    public void Dispose()
    {
        _raw?.Dispose();
        _signals?.Dispose();
        _connection.Dispose();
    }

    private AttachResult Relay()
    {
        if (HasTerminal)
        {
            _signals ??= SignalForwarding.Open(_options.Proxy, terminal: true);
            _raw = RawTerminal.Enter(_options.Input!);
            SendSize();
        }
        else if (_options.Proxy)
        {
            _signals ??= SignalForwarding.Open(proxy: true, terminal: false);
        }

        // The frames that came with the answer to our request.
        if (TakeFrames() is { } early)
        {
            return early;
        }

        bool inputBlocked = false;
        PollEntry[] entries = new PollEntry[3];
        while (true)
        {
            entries[0] = new PollEntry(_connection.Socket, inputBlocked ? PollEvents.Readable | PollEvents.Writable : PollEvents.Readable);
            entries[1] = new PollEntry(_inputOpen && !inputBlocked ? _options.Input : null, PollEvents.Readable);
            entries[2] = new PollEntry(_signals?.Descriptor, PollEvents.Readable);
            if (Poll.Wait(entries, -1) == 0)
            {
                continue;
            }

            if (entries[2].Came != 0 && TakeSignals() is { } ended)
            {
                return ended;
            }

            if ((entries[0].Came & (PollEvents.Readable | PollEvents.Error | PollEvents.HangUp)) != 0)
            {
                bool open = _connection.Receive();
                if (TakeFrames() is { } end)
                {
                    return end;
                }

                if (!open)
                {
                    return new AttachResult(AttachEnd.Lost);
                }
            }

            inputBlocked = inputBlocked && (entries[0].Came & PollEvents.Writable) == 0;
            if (entries[1].Came != 0)
            {
                inputBlocked = !HasRoom();
                if (!inputBlocked && TakeInput() is { } detached)
                {
                    return detached;
                }
            }
        }
    }

    private AttachResult? TakeFrames()
    {
        while (_connection.TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload))
        {
            switch (kind)
            {
                case FrameKind.Output:
                    Write(_options.Output, payload, "standard output");
                    break;
                case FrameKind.ErrorOutput:
                    Write(_options.Error, payload, "standard error");
                    break;
                case FrameKind.Exited:
                    return new AttachResult(AttachEnd.Exited, MonitorConnection.ReadExit(payload));
                case FrameKind.Detached:
                    return new AttachResult(AttachEnd.DetachedByMonitor, Reason: MonitorConnection.ReadDetached(payload));
            }
        }

        return null;
    }

    private bool HasRoom()
    {
        Span<PollEntry> socket = [new PollEntry(_connection.Socket, PollEvents.Writable)];
        return Poll.Wait(socket, 0) > 0 && (socket[0].Came & PollEvents.Writable) != 0;
    }

    private AttachResult? TakeInput()
    {
        int n = Descriptors.TryRead(_options.Input!, _input, out Errno errno);
        if (n < 0 && errno is Errno.EAGAIN or Errno.EINTR)
        {
            return null;
        }

        // EIO: the terminal has gone; as good as the end of what can be typed.
        if (n <= 0)
        {
            _inputOpen = false;
            _connection.SendInputEnd();
            return null;
        }

        if (!_options.Tty)
        {
            _connection.SendInput(_input.AsSpan(0, n));
            return null;
        }

        bool detach = _options.DetachKeys.Filter(_input.AsSpan(0, n), _filtered, out int length);
        if (length > 0)
        {
            _connection.SendInput(_filtered.AsSpan(0, length));
        }

        return detach ? new AttachResult(AttachEnd.DetachedByUser) : null;
    }

    private AttachResult? TakeSignals()
    {
        while (_signals!.TryNext() is { } signal)
        {
            switch (signal)
            {
                case Signal.SIGWINCH:
                    SendSize();
                    break;
                case Signal.SIGTSTP:
                    Suspend();
                    break;
                case var _ when _options.Proxy:
                    _connection.SendSignal((int)signal);
                    break;
                default:
                    // Without --sig-proxy the signal is ours: leave, with the terminal as it was.
                    return new AttachResult(AttachEnd.Exited, new ExitNotice(128 + (int)signal));
            }
        }

        return null;
    }

    private void SendSize()
    {
        if (TerminalSizeOf(_options.Input!, _options.Output) is { } size)
        {
            _connection.SendResize(size);
        }
    }

    /// <summary>Stops this process as SIGTSTP would, with the terminal as the user had it meanwhile.</summary>
    private void Suspend()
    {
        _raw?.Leave();
        Processes.Kill(Environment.ProcessId, (int)Signal.SIGSTOP);
        _raw?.Reenter();
        SendSize();
    }

    /// <summary>Writes all, waiting where the descriptor, which others may have made non-blocking, has no room.</summary>
    private static void Write(SafeFileHandle file, ReadOnlySpan<byte> data, string name)
    {
        while (data.Length > 0)
        {
            int n = Descriptors.TryWrite(file, data, out Errno errno);
            if (n >= 0)
            {
                data = data[n..];
            }
            else if (errno == Errno.EAGAIN)
            {
                Span<PollEntry> entry = [new PollEntry(file, PollEvents.Writable)];
                Poll.Wait(entry, -1);
            }
            else if (errno != Errno.EINTR)
            {
                throw new SyscallException("write", name, errno);
            }
        }
    }
}
