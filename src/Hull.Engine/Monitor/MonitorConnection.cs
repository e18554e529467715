using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>A client's end of one conversation with a monitor. Blocking, or driven by poll(2) on <see cref="Socket"/>; not
/// thread-safe. Closing it leaves the conversation; the container goes on.</summary>
/// <remarks>
/// A client that relays streams waits for <see cref="Socket"/> to be readable, calls <see cref="Receive"/> once and then
/// <see cref="TryNext"/> until it gives nothing:
/// <code>
/// while (connection.Receive())
/// {
///     while (connection.TryNext(out FrameKind kind, out ReadOnlySpan&lt;byte&gt; payload)) { … }
/// }
/// </code>
/// </remarks>
public sealed class MonitorConnection : IDisposable
{
    private readonly SafeFileHandle _socket;
    private byte[] _buffer = new byte[Frame.HeaderLength + Frame.MaximumData];
    private int _start;
    private int _end;

    /// <summary>Takes ownership of a connected socket.</summary>
    internal MonitorConnection(SafeFileHandle socket) => _socket = socket;

    /// <summary>To poll for reading; owned by the connection.</summary>
    public SafeFileHandle Socket => _socket;

    /// <summary>Reads once what has come, waiting where nothing has. False where the monitor has closed its end.</summary>
    public bool Receive()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int n = UnixSockets.TryReceive(_socket, _buffer.AsSpan(_end), out Errno errno);
        if (n < 0)
        {
            // A monitor that is killed resets the connection where bytes of ours were still unread.
            return errno == Errno.ECONNRESET ? false : throw new SyscallException("recvmsg", "monitor.sock", errno);
        }

        _end += n;
        return n > 0;
    }

    /// <summary>The next whole frame of what was received; its payload is valid until the next <see cref="Receive"/>.</summary>
    /// <exception cref="InvalidDataException">The peer is no monitor.</exception>
    public bool TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        if (!Frame.TryRead(_buffer.AsSpan(_start, _end - _start), out kind, out payload, out int needed))
        {
            return false;
        }

        _start += needed;
        return true;
    }

    /// <summary>Bytes for the process's standard input. Waits where the process does not read.</summary>
    /// <returns>False where the monitor is gone.</returns>
    public bool SendInput(ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[Frame.HeaderLength];
        for (; data.Length > 0; data = data[Math.Min(data.Length, Frame.MaximumData)..])
        {
            ReadOnlySpan<byte> part = data[..Math.Min(data.Length, Frame.MaximumData)];
            Frame.WriteHeader(header, FrameKind.Input, part.Length);
            if (!SendAll(header) || !SendAll(part))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Standard input has ended.</summary>
    public bool SendInputEnd() => Send(new FrameWriter(FrameKind.InputEnd));

    /// <summary>The client's terminal has this size now.</summary>
    public bool SendResize(TerminalSize size) => Send(new FrameWriter(FrameKind.Resize).Size(size));

    /// <summary>A signal for the exec's process, or in other conversations for init.</summary>
    public bool SendSignal(int signal) => Send(new FrameWriter(FrameKind.Signal).Int32(signal));

    public void Dispose() => _socket.Dispose();

    /// <summary>What an Exited frame says.</summary>
    public static ExitNotice ReadExit(ReadOnlySpan<byte> payload) => ExitNotice.Decode(payload);

    /// <summary>The text of a Detached frame.</summary>
    public static string ReadDetached(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload);

    /// <summary>Sends a frame; false where the monitor is gone.</summary>
    internal bool Send(FrameWriter frame) => SendAll(frame.Finish());

    /// <summary>Waits for one of the frames that answer a request. Nothing may come before it.</summary>
    /// <exception cref="EngineException">The monitor answered Failed, or ended without an answer.</exception>
    internal ReadOnlySpan<byte> Expect(FrameKind wanted)
    {
        while (true)
        {
            if (TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload))
            {
                if (kind == FrameKind.Failed)
                {
                    FrameReader reader = new(payload);
                    throw new EngineException((EngineErrorKind)reader.Byte(), reader.Text());
                }

                return kind == wanted ? payload : throw new InvalidDataException($"monitor protocol: {kind} where {wanted} was due");
            }

            if (!Receive())
            {
                throw new EngineException(EngineErrorKind.System, "the container's monitor ended before it answered");
            }
        }
    }

    private bool SendAll(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            int n = UnixSockets.TrySend(_socket, data, out Errno errno);
            if (n < 0)
            {
                return errno is Errno.EPIPE or Errno.ECONNRESET ? false : throw new SyscallException("sendmsg", "monitor.sock", errno);
            }

            data = data[n..];
        }

        return true;
    }
}
