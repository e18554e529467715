using Hull.Engine.Logs;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Moves bytes between a process, the clients that take part in its streams, and its log.</summary>
/// <remarks>Belongs to the loop's thread. Memory is bounded: while any client has more than
/// <see cref="Frame.MaximumBacklog"/> bytes to take, the process's output is not read; while the process leaves that much
/// input unread, the clients' frames are not.</remarks>
internal sealed class ProcessStreams : IDisposable
{
    private readonly EventLoop _loop;
    private readonly JsonFileLog? _log;
    private readonly bool _endInputWithClient;
    private readonly NativeBuffer _buffer;
    private readonly List<Attachment> _attachments = [];
    private readonly Source? _output;
    private readonly Source? _error;
    private readonly SafeFileHandle? _terminal;
    private SafeFileHandle? _input;
    private Watch? _inputWatch;
    private byte[] _pending = [];
    private int _pendingStart;
    private bool _inputEnded;
    private Deadline? _patience;

    /// <param name="payload">Its descriptors stay the payload's and must outlive this.</param>
    /// <param name="buffer">Shared by all streams of a monitor: at least a header and <see cref="Frame.MaximumData"/>.</param>
    /// <param name="log">Null where output is not kept.</param>
    /// <param name="endInputWithClient">The end of a client's input, or its leaving, is the end of the process's.</param>
    public ProcessStreams(EventLoop loop, Payload payload, NativeBuffer buffer, JsonFileLog? log, bool endInputWithClient)
    {
        _loop = loop;
        _buffer = buffer;
        _log = log;
        _terminal = payload.Terminal;
        _endInputWithClient = endInputWithClient && payload.Terminal is null;
        _input = payload.Terminal ?? payload.Input;
        if (_input is not null)
        {
            Descriptors.SetNonBlocking(_input);
        }

        _output = Open(payload.Terminal ?? payload.Output, LogStream.Stdout);
        _error = payload.Terminal is null ? Open(payload.Error, LogStream.Stderr) : null;
    }

    public int Clients => _attachments.Count;

    /// <summary>Adds a client to the streams it names.</summary>
    /// <param name="patient">Never cut off, however slowly it reads: the starter of a foreground run.</param>
    public void Attach(Client client, AttachStreams streams, bool patient)
    {
        _attachments.Add(new Attachment(client, streams, patient));
        client.Drained = OnDrained;
    }

    /// <summary>The client has left or is to hear no more.</summary>
    public void Detach(Client client)
    {
        int index = _attachments.FindIndex(attachment => attachment.Client == client);
        if (index < 0)
        {
            return;
        }

        bool hadInput = (_attachments[index].Streams & AttachStreams.Stdin) != 0;
        _attachments.RemoveAt(index);
        client.Drained = null;
        if (hadInput && _endInputWithClient)
        {
            EndInput();
        }

        Resume();
    }

    /// <summary>Every client that takes part now.</summary>
    public Client[] AttachedClients()
    {
        Client[] clients = new Client[_attachments.Count];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = _attachments[i].Client;
        }

        return clients;
    }

    /// <summary>A frame of a client that takes part: Input, InputEnd or Resize.</summary>
    /// <returns>False where the frame is none of these.</returns>
    public bool TryHandle(Client client, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Input:
                Input(payload);
                return true;
            case FrameKind.InputEnd:
                if (_endInputWithClient)
                {
                    EndInput();
                }

                return true;
            case FrameKind.Resize:
                Resize(new FrameReader(payload).Size());
                return true;
            default:
                return false;
        }
    }

    /// <summary>Sets the terminal's size; nothing where there is no terminal, or its last process is gone.</summary>
    public void Resize(TerminalSize? size)
    {
        if (_terminal is not null && size is TerminalSize wanted)
        {
            try
            {
                Terminals.SetSize(_terminal, wanted);
            }
            catch (SyscallException error) when (error.Errno == Errno.EIO)
            {
                // The other side is closed: the process is ending.
            }
        }
    }

    /// <summary>Closes the process's standard input once what is pending has gone in.</summary>
    public void EndInput()
    {
        _inputEnded = true;
        if (_pending.Length == _pendingStart)
        {
            CloseInput();
        }
    }

    /// <summary>The process has ended: takes what it left in its pipes (each holds 64 KiB at most) without waiting for
    /// anybody, and stops. A descendant that still holds a pipe is heard no more.</summary>
    public void Drain()
    {
        DrainSource(_output);
        DrainSource(_error);
        _inputWatch?.Dispose();
        _inputWatch = null;
    }

    public void Dispose()
    {
        _patience?.Dispose();
        _output?.Watch.Dispose();
        _error?.Watch.Dispose();
        _inputWatch?.Dispose();
    }

    private Source? Open(SafeFileHandle? file, LogStream stream)
    {
        if (file is null)
        {
            return null;
        }

        Descriptors.SetNonBlocking(file);
        Source source = new(file, stream);
        source.Watch = _loop.Watch(file, PollEvents.Readable, events => OnReadable(source, events));
        return source;
    }

    private void OnReadable(Source source, PollEvents events)
    {
        if (_terminal is not null && (events & PollEvents.Writable) != 0)
        {
            WritePending();
        }

        // A few turns at once: fewer epoll_wait(2) for a chatty process, and still fair to the others.
        for (int turn = 0; turn < 4 && !source.Ended && (events & ~PollEvents.Writable) != 0; turn++)
        {
            if (MustWait())
            {
                Hold();
                return;
            }

            if (!Transfer(source))
            {
                return;
            }
        }
    }

    /// <summary>Moves one buffer from the process to its clients and its log. False where nothing is there now.</summary>
    private bool Transfer(Source source)
    {
        Span<byte> frame = _buffer.Span;
        int n = Descriptors.TryRead(source.File, frame.Slice(Frame.HeaderLength, Frame.MaximumData), out Errno errno);
        if (n <= 0)
        {
            // EIO: the last process that had the terminal open has closed it.
            if (n == 0 || errno != Errno.EAGAIN)
            {
                source.Ended = true;
                source.Watch.Dispose();
            }

            return false;
        }

        if (_attachments.Count > 0)
        {
            Frame.WriteHeader(frame, source.Stream == LogStream.Stdout ? FrameKind.Output : FrameKind.ErrorOutput, n);
            AttachStreams wanted = source.Stream == LogStream.Stdout ? AttachStreams.Stdout : AttachStreams.Stderr;
            for (int i = 0; i < _attachments.Count; i++)
            {
                if ((_attachments[i].Streams & wanted) != 0)
                {
                    _attachments[i].Client.Send(frame[..(Frame.HeaderLength + n)]);
                }
            }
        }

        _log?.Write(source.Stream, frame.Slice(Frame.HeaderLength, n), DateTime.UtcNow);
        return true;
    }

    private void DrainSource(Source? source)
    {
        while (source is not null && !source.Ended && Transfer(source))
        {
        }

        source?.Watch.Dispose();
    }

    private bool MustWait()
    {
        for (int i = 0; i < _attachments.Count; i++)
        {
            if (_attachments[i].Client.Backlog >= Frame.MaximumBacklog)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Stops reading the process's output until the clients have caught up.</summary>
    private void Hold()
    {
        Watching(false);
        _patience ??= _loop.After(TimeSpan.FromSeconds(Frame.PatienceSeconds), OnPatienceOver);
    }

    private void OnDrained(Client client)
    {
        if (client.Backlog < Frame.MaximumBacklog / 2)
        {
            Resume();
        }
    }

    private void Resume()
    {
        if (!MustWait())
        {
            _patience?.Dispose();
            _patience = null;
            Watching(true);
        }
    }

    private void Watching(bool reading)
    {
        if (_output is { Ended: false })
        {
            _output.Watch.Events = (reading ? PollEvents.Readable : PollEvents.None)
                | (_terminal is not null && _pending.Length > _pendingStart ? PollEvents.Writable : PollEvents.None);
        }

        if (_error is { Ended: false })
        {
            _error.Watch.Events = reading ? PollEvents.Readable : PollEvents.None;
        }
    }

    private void OnPatienceOver()
    {
        _patience = null;
        long now = Environment.TickCount64;
        foreach (Attachment attachment in _attachments.ToArray())
        {
            if (!attachment.Patient && attachment.Client.Backlog >= Frame.MaximumBacklog
                && now - attachment.Client.LastProgress >= Frame.PatienceSeconds * 1000L)
            {
                Detach(attachment.Client);
                attachment.Client.Send(MonitorFrames.Detached("too slow: the container's output goes on without this client"));
                attachment.Client.Finish();
            }
        }

        if (MustWait())
        {
            _patience = _loop.After(TimeSpan.FromSeconds(1), OnPatienceOver);
        }
    }

    private void Input(ReadOnlySpan<byte> data)
    {
        if (_input is null || _inputEnded)
        {
            return;
        }

        if (_pending.Length == _pendingStart)
        {
            int n = Descriptors.TryWrite(_input, data, out Errno errno);
            if (n < 0 && errno != Errno.EAGAIN)
            {
                // EPIPE: the process has closed its input; what comes for it is dropped, as a shell's pipe would fail.
                CloseInput();
                return;
            }

            data = data[Math.Max(n, 0)..];
            if (data.Length == 0)
            {
                return;
            }
        }

        byte[] joined = new byte[_pending.Length - _pendingStart + data.Length];
        _pending.AsSpan(_pendingStart).CopyTo(joined);
        data.CopyTo(joined.AsSpan(_pending.Length - _pendingStart));
        _pending = joined;
        _pendingStart = 0;
        AwaitRoom();
        if (_pending.Length >= Frame.MaximumBacklog)
        {
            ReadingInput(false);
        }
    }

    private void AwaitRoom()
    {
        if (_terminal is not null)
        {
            Watching(_output is { Ended: false } && (_output.Watch.Events & PollEvents.Readable) != 0);
        }
        else if (_input is not null)
        {
            _inputWatch ??= _loop.Watch(_input, PollEvents.Writable, _ => WritePending());
        }
    }

    private void WritePending()
    {
        if (_input is null)
        {
            return;
        }

        int n = Descriptors.TryWrite(_input, _pending.AsSpan(_pendingStart), out Errno errno);
        if (n < 0)
        {
            if (errno != Errno.EAGAIN)
            {
                CloseInput();
            }

            return;
        }

        _pendingStart += n;
        if (_pendingStart == _pending.Length)
        {
            _pending = [];
            _pendingStart = 0;
            _inputWatch?.Dispose();
            _inputWatch = null;
            AwaitRoomOver();
            if (_inputEnded)
            {
                CloseInput();
            }
        }

        if (_pending.Length - _pendingStart < Frame.MaximumBacklog / 2)
        {
            ReadingInput(true);
        }
    }

    private void AwaitRoomOver()
    {
        if (_terminal is not null && _output is { Ended: false })
        {
            _output.Watch.Events &= ~PollEvents.Writable;
        }
    }

    private void CloseInput()
    {
        _pending = [];
        _pendingStart = 0;
        _inputWatch?.Dispose();
        _inputWatch = null;
        if (_terminal is null)
        {
            _input?.Dispose();
        }

        _input = null;
        ReadingInput(true);
    }

    private void ReadingInput(bool on)
    {
        foreach (Attachment attachment in _attachments.ToArray())
        {
            attachment.Client.Reading = on;
        }
    }

    private sealed record Attachment(Client Client, AttachStreams Streams, bool Patient);

    private sealed class Source(SafeFileHandle file, LogStream stream)
    {
        public SafeFileHandle File { get; } = file;

        public LogStream Stream { get; } = stream;

        public Watch Watch { get; set; } = null!;

        public bool Ended { get; set; }
    }
}
