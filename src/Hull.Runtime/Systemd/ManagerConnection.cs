using System.Diagnostics;
using System.Globalization;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Systemd;

/// <summary>A conversation with systemd's manager (org.freedesktop.systemd1(5)) over its own socket, which root may call without a
/// bus daemon, as systemctl(1) does.</summary>
/// <remarks>Synchronous and without a thread: who makes a scope clones a moment later (design, section 4), and a D-Bus library
/// brings an event loop. One call at a time.</remarks>
internal sealed class ManagerConnection : IDisposable
{
    private const string Directory = "/run/systemd";
    private const string Name = "private";
    private const string Manager = "org.freedesktop.systemd1.Manager";

    /// <summary>The error of a unit that is not loaded: it was never there, or has ended and was forgotten.</summary>
    public const string NoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

    /// <summary>The error of a unit whose name is taken.</summary>
    public const string UnitExists = "org.freedesktop.systemd1.UnitExists";

    /// <summary>How long systemd may take for an answer or a job; runc's limit.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SafeFileHandle _socket;
    private readonly List<BusMessage> _signals = [];
    private byte[] _buffer = new byte[4096];
    private int _filled;
    private uint _serial;

    private ManagerConnection(SafeFileHandle socket) => _socket = socket;

    /// <exception cref="ContainerException">This host does not run systemd, or the caller may not speak to it.</exception>
    public static ManagerConnection Open()
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, Directory, OpenFlags.Path | OpenFlags.Directory, 0, out _);
        SafeFileHandle socket = (directory is null ? null : UnixSockets.TryConnect(directory, Name)) ?? throw new ContainerException(
            ContainerFault.Engine, $"--systemd-cgroup: nobody listens at {Directory}/{Name}: systemd does not run here; use the cgroupfs driver");
        ManagerConnection connection = new(socket);
        try
        {
            connection.Authenticate();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Calls a method of the manager and waits for its answer.</summary>
    /// <param name="signature">The types of its arguments, which <paramref name="arguments"/> writes.</param>
    /// <param name="tolerated">The name of an error that is as good as success.</param>
    /// <exception cref="ContainerException">It answered with another error.</exception>
    public BusMessage Call(string member, string signature, Action<BusWriter> arguments, string? tolerated = null)
    {
        BusWriter body = new();
        arguments(body);
        uint serial = ++_serial;
        BusWriter header = new();
        // Little-endian, a call, no flags, protocol 1; then the fields path, interface, member, destination and signature.
        foreach (byte value in (ReadOnlySpan<byte>)[(byte)'l', (byte)BusMessageKind.Call, 0, 1])
        {
            header.WriteByte(value);
        }

        header.WriteUInt32((uint)body.Length);
        header.WriteUInt32(serial);
        header.WriteArray(8, fields =>
        {
            WriteField(fields, 1, "o", "/org/freedesktop/systemd1");
            WriteField(fields, 2, "s", Manager);
            WriteField(fields, 3, "s", member);
            WriteField(fields, 6, "s", "org.freedesktop.systemd1");
            fields.Align(8);
            fields.WriteByte(8);
            fields.WriteSignature("g");
            fields.WriteSignature(signature);
        });
        header.Align(8);
        Send([.. header.Bytes, .. body.Bytes]);

        Stopwatch clock = Stopwatch.StartNew();
        while (true)
        {
            BusMessage message = Receive(clock, member);
            if (message.Kind == BusMessageKind.Signal)
            {
                _signals.Add(message);
            }
            else if (message.Replies == serial)
            {
                return message.Kind == BusMessageKind.Return || message.ErrorName == tolerated
                    ? message
                    : throw new ContainerException(ContainerFault.Engine, $"systemd {member}: {string.Concat(message.Texts.Take(1))} ({message.ErrorName})");
            }
        }
    }

    /// <summary>Waits until a job that <see cref="Call"/> has queued is done.</summary>
    /// <param name="call">The queuing method's answer, the job's path.</param>
    /// <returns>The result: <c>done</c>, <c>failed</c>, <c>canceled</c>, <c>timeout</c> … (JobRemoved of the manager).</returns>
    public string WaitForJob(BusMessage call)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (true)
        {
            // JobRemoved: number, job, unit, result.
            if (_signals.Find(signal => signal.Member == "JobRemoved" && signal.Texts.Count == 3 && signal.Texts[0] == call.Texts[0]) is { } done)
            {
                _signals.Clear();
                return done.Texts[2];
            }

            _signals.Clear();
            if (Receive(clock, "JobRemoved") is { Kind: BusMessageKind.Signal } signal)
            {
                _signals.Add(signal);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private static void WriteField(BusWriter fields, byte field, string type, string value)
    {
        fields.Align(8);
        fields.WriteByte(field);
        fields.WriteSignature(type);
        fields.WriteText(value);
    }

    /// <summary>SASL EXTERNAL: the kernel says who we are, we say it once more in hexadecimal digits.</summary>
    private void Authenticate()
    {
        string user = OwnProcess.EffectiveUserId.ToString(CultureInfo.InvariantCulture);
        Send(Encoding.ASCII.GetBytes($"\0AUTH EXTERNAL {Convert.ToHexString(Encoding.ASCII.GetBytes(user))}\r\n"));
        Stopwatch clock = Stopwatch.StartNew();
        int end;
        while ((end = _buffer.AsSpan(0, _filled).IndexOf("\r\n"u8)) < 0)
        {
            Fill(clock, "authentication");
        }

        string answer = Encoding.ASCII.GetString(_buffer, 0, end);
        Drop(end + 2);
        if (!answer.StartsWith("OK ", StringComparison.Ordinal))
        {
            throw new ContainerException(ContainerFault.Engine, $"--systemd-cgroup: systemd refused us: {answer} (run as root)");
        }

        Send("BEGIN\r\n"u8);
    }

    private BusMessage Receive(Stopwatch clock, string what)
    {
        int length;
        while (_filled < BusMessage.FixedLength || _filled < (length = BusMessage.LengthOf(_buffer)))
        {
            Fill(clock, what);
        }

        BusMessage message = BusMessage.Read(_buffer.AsSpan(0, length));
        Drop(length);
        return message;
    }

    private void Fill(Stopwatch clock, string what)
    {
        if (_filled == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        Span<PollEntry> entries = [new PollEntry(_socket, PollEvents.Readable)];
        while (Poll.Wait(entries, Math.Max(0, (int)(Patience - clock.Elapsed).TotalMilliseconds)) == 0)
        {
            if (clock.Elapsed >= Patience)
            {
                throw new ContainerException(ContainerFault.Engine, $"systemd has not answered for {Patience.TotalSeconds} seconds ({what}): see systemctl list-jobs");
            }
        }

        int count = UnixSockets.TryReceive(_socket, _buffer.AsSpan(_filled), out Errno errno);
        _filled += count > 0 ? count : throw new SyscallException("recvmsg", $"{Directory}/{Name}", count == 0 ? Errno.ECONNRESET : errno, what);
    }

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _filled - count).CopyTo(_buffer);
        _filled -= count;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int count = UnixSockets.TrySend(_socket, bytes, out Errno errno);
            bytes = count > 0 ? bytes[count..] : throw new SyscallException("sendmsg", $"{Directory}/{Name}", errno);
        }
    }
}
