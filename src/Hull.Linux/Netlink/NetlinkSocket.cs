using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Netlink;

/// <summary>A netlink(7) socket: requests to the kernel and its answers, one at a time. Synchronous, not thread-safe.</summary>
/// <remarks>Errors are <see cref="SyscallException"/>s with the kernel's own words, where it has some (NETLINK_EXT_ACK).</remarks>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    // A dump that was overtaken by a change is asked for anew, so often at most.
    private const int DumpAttempts = 16;

    // The kernel fills at most 32 KiB of a datagram of a dump (netlink_dump); anything else is smaller.
    private const int ReceiveBytes = 64 * 1024;

    private readonly SafeFileHandle _handle;
    private uint _sequence;

    private NetlinkSocket(SafeFileHandle handle) => _handle = handle;

    /// <summary>Opens a socket in a network namespace; null is the calling thread's.</summary>
    /// <remarks>There is no call that makes a socket in another namespace: the thread goes there for it and comes back, see
    /// <see cref="NetworkNamespace.Within{T}"/>.</remarks>
    /// <exception cref="SyscallException">EPROTONOSUPPORT where the kernel lacks the protocol.</exception>
    public static NetlinkSocket Open(NetlinkProtocol protocol, NetworkNamespace? networkNamespace = null) =>
        networkNamespace is null ? Open(protocol) : networkNamespace.Within(() => Open(protocol));

    private static NetlinkSocket Open(NetlinkProtocol protocol)
    {
        int fd = socket(FamilyNetlink, TypeRaw | CloseOnExec, (int)protocol);
        if (fd < 0)
        {
            throw SyscallException.Last("socket", $"AF_NETLINK {protocol}");
        }

        NetlinkSocket opened = new(new SafeFileHandle(fd, ownsHandle: true));
        try
        {
            // Errors do not bring the request back, but a sentence; dumps refuse a filter that they do not know (all of Linux 4.20).
            opened.Set(LevelNetlink, CapAck, 1, "NETLINK_CAP_ACK");
            opened.Set(LevelNetlink, ExtAck, 1, "NETLINK_EXT_ACK");
            opened.Set(LevelNetlink, GetStrictCheck, 1, "NETLINK_GET_STRICT_CHK");
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Sends one message and waits until it is done.</summary>
    /// <param name="operation">For the error: <c>RTM_NEWLINK</c>.</param>
    /// <param name="target">For the error: what it acts on.</param>
    /// <exception cref="SyscallException">The kernel's answer.</exception>
    public void Execute(NetlinkWriter request, string operation, string? target)
    {
        Errno errno = TryExecute(request, out string? text);
        if (errno != Errno.None)
        {
            throw new SyscallException(operation, target, errno, text);
        }
    }

    /// <summary>As <see cref="Execute"/>; the error as a value, with the kernel's words.</summary>
    public Errno TryExecute(NetlinkWriter request, out string? text)
    {
        List<object>? nothing = null;
        return Exchange(request, static _ => null, nothing, dump: false, out text);
    }

    /// <summary>Sends one message that asks for one object.</summary>
    /// <returns>Null with the errno where there is none.</returns>
    public T? TryGet<T>(NetlinkWriter request, NetlinkParser<T> parse, out Errno errno, out string? text)
        where T : class
    {
        List<T> found = [];
        errno = Exchange(request, parse, found, dump: false, out text);
        return errno == Errno.None && found.Count > 0 ? found[0] : null;
    }

    /// <summary>Sends one message that asks for all objects (<see cref="NetlinkFlags.Dump"/>).</summary>
    /// <remarks>What was changed in between (NLM_F_DUMP_INTR) is read again from the start.</remarks>
    /// <exception cref="SyscallException">The kernel's answer; EAGAIN where changes never stop.</exception>
    public List<T> Dump<T>(NetlinkWriter request, NetlinkParser<T> parse, string operation, string? target)
        where T : class
    {
        List<T> found = [];
        for (int attempt = 0; attempt < DumpAttempts; attempt++)
        {
            found.Clear();
            Errno errno = Exchange(request, parse, found, dump: true, out string? text);
            if (errno == Errno.None)
            {
                return found;
            }

            if (errno != Errno.EAGAIN)
            {
                throw new SyscallException(operation, target, errno, text);
            }
        }

        throw new SyscallException(operation, target, Errno.EAGAIN, null, "it changed each time it was read; try again when the host is quieter");
    }

    /// <summary>Sends messages that hold together (NFNL_MSG_BATCH_BEGIN to _END): all of them are done, or none.</summary>
    /// <remarks>The kernel is done when send(2) returns, and has put its answers down; the last command but the end asks for an
    /// acknowledgement, the others answer only where they fail. An acknowledgement each would overflow the receive buffer.</remarks>
    /// <returns>The first message that failed, counted from 0; null where none did.</returns>
    /// <exception cref="SyscallException">ENOBUFS where the answers did not fit the receive buffer: then it is not known.</exception>
    internal (int Index, Errno Errno, string? Text)? Transact(NetlinkWriter batch)
    {
        uint first = _sequence + 1;
        int count = Send(batch);
        (int Index, Errno Errno, string? Text)? failed = null;
        bool acknowledged = false;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            while (true)
            {
                ReadOnlySpan<byte> rest = Receive(buffer, wait: false);
                if (rest.IsEmpty)
                {
                    return acknowledged || failed is not null ? failed : throw new SyscallException("recv", "netlink", Errno.ENOBUFS, "no answer to a batch");
                }

                while (NextMessage(ref rest, out NetlinkHeader header, out ReadOnlySpan<byte> payload))
                {
                    uint index = header.Sequence - first;
                    if (header.Type != TypeError || index >= count)
                    {
                        continue;
                    }

                    Errno errno = NetlinkError.Read(true, header.Flags, payload, out string? text);
                    acknowledged |= errno == Errno.None;
                    if (errno != Errno.None && (failed is null || index < failed.Value.Index))
                    {
                        failed = ((int)index, errno, text);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _handle.Dispose();

    /// <returns>EAGAIN for a dump that was interrupted.</returns>
    private Errno Exchange<T>(NetlinkWriter request, NetlinkParser<T> parse, List<T>? found, bool dump, out string? text)
        where T : class
    {
        Send(request);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            bool interrupted = false;
            while (true)
            {
                for (ReadOnlySpan<byte> rest = Receive(buffer, wait: true); NextMessage(ref rest, out NetlinkHeader header, out ReadOnlySpan<byte> payload);)
                {
                    if (header.Sequence != _sequence)
                    {
                        // Left over from a request whose answer was not read to its end.
                        continue;
                    }

                    interrupted |= (header.Flags & DumpInterrupted) != 0;
                    switch (header.Type)
                    {
                        case TypeError:
                        case TypeDone when dump:
                            Errno errno = NetlinkError.Read(header.Type == TypeError, header.Flags, payload, out text);
                            return errno == Errno.None && interrupted ? Errno.EAGAIN : errno;
                        default:
                            if (found is not null && parse(new NetlinkMessage(header.Type, payload)) is T item)
                            {
                                found.Add(item);
                            }

                            break;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Numbers the messages and sends them as one datagram.</summary>
    private int Send(NetlinkWriter request)
    {
        int count = request.Number(_sequence + 1);
        _sequence += (uint)count;
        ReadOnlySpan<byte> bytes = request.Written;
        if (bytes.Length > SmallestSendBuffer)
        {
            // The datagram must fit the send buffer whole; beyond net.core.wmem_max that takes CAP_NET_ADMIN, as the request does.
            TrySet(LevelSocket, SendBufferForce, bytes.Length * 2);
        }

        // SAFETY: the writer's buffer is pinned for the call and its length bounds the kernel's read.
        fixed (byte* p = bytes)
        {
            // Not connected: what has no address goes to the kernel, and only the kernel answers (netlink_sendmsg lets no process
            // write to another's socket of these protocols without CAP_NET_ADMIN).
            while (send(Files.Fd(_handle), p, (nuint)bytes.Length, 0) < 0)
            {
                if (SyscallException.LastErrno != Errno.EINTR)
                {
                    throw SyscallException.Last("send", "netlink", $"{bytes.Length} bytes");
                }
            }
        }

        return count;
    }

    /// <summary>The next datagram; empty where none is there and <paramref name="wait"/> is false.</summary>
    private ReadOnlySpan<byte> Receive(byte[] buffer, bool wait)
    {
        // SAFETY: the buffer is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = buffer)
        {
            while (true)
            {
                // MSG_TRUNC: the answer is the true length, so that a message that is cut off is seen.
                nint n = recv(Files.Fd(_handle), p, (nuint)buffer.Length, MessageTruncated | (wait ? 0 : MessageDontWait));
                if (n > buffer.Length)
                {
                    throw new SyscallException("recv", "netlink", Errno.EMSGSIZE, $"{n} bytes");
                }

                if (n >= 0)
                {
                    return buffer.AsSpan(0, (int)n);
                }

                switch (SyscallException.LastErrno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN when !wait:
                        return [];
                    default:
                        throw SyscallException.Last("recv", "netlink");
                }
            }
        }
    }

    private static bool NextMessage(ref ReadOnlySpan<byte> rest, out NetlinkHeader header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        if (rest.Length < NetlinkWriter.HeaderBytes)
        {
            return false;
        }

        header = MemoryMarshal.Read<NetlinkHeader>(rest);
        if (header.Length < NetlinkWriter.HeaderBytes || header.Length > rest.Length)
        {
            return false;
        }

        payload = rest[NetlinkWriter.HeaderBytes..(int)header.Length];
        rest = rest[Math.Min(NetlinkWriter.Align((int)header.Length), rest.Length)..];
        return true;
    }

    private void Set(int level, int option, int value, string name)
    {
        if (!TrySet(level, option, value))
        {
            throw SyscallException.Last("setsockopt", name);
        }
    }

    private bool TrySet(int level, int option, int value) =>
        // SAFETY: the kernel reads one int of a local.
        setsockopt(Files.Fd(_handle), level, option, &value, sizeof(int)) == 0;

    private const int FamilyNetlink = 16;
    private const int TypeRaw = 3;
    private const int CloseOnExec = 0x80000;
    private const int LevelSocket = 1;
    private const int LevelNetlink = 270;
    private const int CapAck = 10;
    private const int ExtAck = 11;
    private const int GetStrictCheck = 12;
    private const int SendBufferForce = 32;
    private const int SmallestSendBuffer = 64 * 1024;
    private const int MessageTruncated = 0x20;
    private const int MessageDontWait = 0x40;
    private const ushort TypeError = 2;
    private const ushort TypeDone = 3;
    private const ushort DumpInterrupted = 0x10;

    /// <summary>struct nlmsghdr, 16 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct NetlinkHeader
    {
        public readonly uint Length;
        public readonly ushort Type;
        public readonly ushort Flags;
        public readonly uint Sequence;
        public readonly uint PortId;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, int* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int fd, byte* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int fd, byte* buffer, nuint length, int flags);
}
