using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Sockets of udp(7) and tcp(7) over IPv4 and IPv6, for an event loop: each is close-on-exec and non-blocking.</summary>
/// <remarks>Stateless and thread-safe. A socket belongs for ever to the network namespace the calling thread was in when it was
/// made. Nothing here raises SIGPIPE.</remarks>
public static unsafe partial class InternetSockets
{
    /// <summary>A UDP socket that receives at an address.</summary>
    /// <param name="local">Port 0: one of the kernel's choice, see <see cref="LocalEndpoint"/>.</param>
    public static SafeFileHandle BindDatagrams(SocketEndpoint local)
    {
        SafeFileHandle socket = TryNew(local.Family, stream: false, out Errno errno) ?? throw new SyscallException("socket", local.ToString(), errno);
        try
        {
            Bind(socket, local);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A TCP socket that listens at an address, whatever connections of an earlier listener linger there.</summary>
    /// <param name="local">Port 0: one of the kernel's choice, see <see cref="LocalEndpoint"/>.</param>
    public static SafeFileHandle Listen(SocketEndpoint local, int backlog = 64)
    {
        SafeFileHandle socket = TryNew(local.Family, stream: true, out Errno errno) ?? throw new SyscallException("socket", local.ToString(), errno);
        try
        {
            SetOption(socket, LevelSocket, OptionReuseAddress, 1, "SO_REUSEADDR");
            Bind(socket, local);
            if (listen(Files.Fd(socket), backlog) != 0)
            {
                throw SyscallException.Last("listen", local.ToString());
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket connected to a peer from a port of the kernel's choice, or on the way there: a TCP one becomes writable
    /// when <see cref="PendingError"/> tells how it went.</summary>
    /// <returns>Null with the errno where there is no way (ENETUNREACH, EMFILE and so on).</returns>
    public static SafeFileHandle? TryConnect(SocketEndpoint peer, bool stream, out Errno errno)
    {
        SafeFileHandle? socket = TryNew(peer.Family, stream, out errno);
        // SAFETY: the kernel reads Length bytes of a local struct sockaddr.
        if (socket is not null && connect(Files.Fd(socket), &peer, peer.Length) != 0)
        {
            errno = SyscallException.LastErrno;
            // EINTR: the connection goes on being made, as with EINPROGRESS (connect(2)).
            if (errno is Errno.EINPROGRESS or Errno.EINTR)
            {
                errno = Errno.None;
                return socket;
            }

            socket.Dispose();
            return null;
        }

        return socket;
    }

    /// <summary>accept4(2), the new socket non-blocking.</summary>
    /// <returns>Null with the errno where it fails: EAGAIN means that nobody waits, EMFILE and its like that there is no room; others
    /// belong to a connection that failed before (accept(2)).</returns>
    public static SafeFileHandle? TryAccept(SafeFileHandle listener, out Errno errno)
    {
        int fd = accept4(Files.Fd(listener), 0, 0, CloseOnExec | NonBlocking);
        errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>getsockname(2).</summary>
    public static SocketEndpoint LocalEndpoint(SafeFileHandle socket)
    {
        SocketEndpoint local = default;
        uint length = (uint)sizeof(SocketEndpoint);
        // SAFETY: the kernel writes at most length bytes into a local of that size.
        return getsockname(Files.Fd(socket), &local, &length) == 0 ? local : throw SyscallException.Last("getsockname");
    }

    /// <summary>SO_ERROR of socket(7): how a connection attempt ended. Clears it.</summary>
    public static Errno PendingError(SafeFileHandle socket)
    {
        int error = 0;
        uint length = sizeof(int);
        // SAFETY: the kernel writes one int into a local.
        return getsockopt(Files.Fd(socket), LevelSocket, OptionError, &error, &length) == 0
            ? (Errno)error : throw SyscallException.Last("getsockopt", null, "SO_ERROR");
    }

    /// <summary>recvfrom(2) once.</summary>
    /// <returns>The count, of a datagram at most what the buffer holds; 0 for an empty datagram or the end of a stream; -1 with the
    /// errno where it fails (EAGAIN: nothing now; ECONNREFUSED: an ICMP error came for what was sent before).</returns>
    public static int TryReceive(SafeFileHandle socket, Span<byte> buffer, out SocketEndpoint from, out Errno errno)
    {
        SocketEndpoint sender = default;
        nint n;
        // SAFETY: the buffer is pinned for the call and its length passed; the address is a local of the size passed.
        fixed (byte* p = buffer)
        {
            do
            {
                uint length = (uint)sizeof(SocketEndpoint);
                n = recvfrom(Files.Fd(socket), p, (nuint)buffer.Length, 0, &sender, &length);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
        }

        from = sender;
        return (int)n;
    }

    /// <inheritdoc cref="TryReceive(SafeFileHandle, Span{byte}, out SocketEndpoint, out Errno)"/>
    public static int TryReceive(SafeFileHandle socket, Span<byte> buffer, out Errno errno) => TryReceive(socket, buffer, out _, out errno);

    /// <summary>sendto(2) once, to a peer given or to the one connected to.</summary>
    /// <returns>The count taken; -1 with the errno where it fails: EAGAIN means no room now.</returns>
    public static int TrySend(SafeFileHandle socket, ReadOnlySpan<byte> data, in SocketEndpoint? to, out Errno errno)
    {
        SocketEndpoint peer = to.GetValueOrDefault();
        nint n;
        // SAFETY: the data is pinned for the call and its length passed; the address is a local and Length at most its size.
        fixed (byte* p = data)
        {
            do
            {
                n = to is null
                    ? sendto(Files.Fd(socket), p, (nuint)data.Length, MessageNoSignal, null, 0)
                    : sendto(Files.Fd(socket), p, (nuint)data.Length, MessageNoSignal, &peer, peer.Length);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
        }

        return (int)n;
    }

    private static SafeFileHandle? TryNew(ushort family, bool stream, out Errno errno)
    {
        int fd = socket(family, (stream ? TypeStream : TypeDatagram) | CloseOnExec | NonBlocking, 0);
        errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    private static void Bind(SafeFileHandle socket, SocketEndpoint local)
    {
        if (local.Family == SocketEndpoint.FamilyInternet6)
        {
            // One at :: is for IPv6 alone: the other family has a socket of its own.
            SetOption(socket, LevelIPv6, OptionIPv6Only, 1, "IPV6_V6ONLY");
        }

        // SAFETY: the kernel reads Length bytes of a local struct sockaddr.
        if (bind(Files.Fd(socket), &local, local.Length) != 0)
        {
            throw SyscallException.Last("bind", local.ToString());
        }
    }

    private const int TypeStream = 1;
    private const int TypeDatagram = 2;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int LevelSocket = 1;
    private const int LevelIPv6 = 41;
    private const int OptionReuseAddress = 2;
    private const int OptionIPv6Only = 26;
    private const int OptionError = 4;
    private const int MessageNoSignal = 0x4000;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, SocketEndpoint* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, SocketEndpoint* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int fd, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int fd, nint address, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockname(int fd, SocketEndpoint* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvfrom(int fd, byte* buffer, nuint length, int flags, SocketEndpoint* address, uint* addressLength);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendto(int fd, byte* data, nuint length, int flags, SocketEndpoint* address, uint addressLength);
}
