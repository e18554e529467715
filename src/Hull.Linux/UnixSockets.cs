using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The process at the other end of a unix socket when it connected (SO_PEERCRED).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PeerCredentials
{
    private readonly int _pid;
    private readonly uint _uid;
    private readonly uint _gid;

    public int ProcessId => _pid;

    public uint UserId => _uid;

    public uint GroupId => _gid;
}

/// <summary>Sockets of unix(7), descriptor passing included.</summary>
/// <remarks>Stateless and thread-safe. Every descriptor made or received is close-on-exec. Nothing here raises SIGPIPE.</remarks>
public static unsafe partial class UnixSockets
{
    /// <summary>Most descriptors one message carries here (the kernel's own bound is 253).</summary>
    public const int MaximumDescriptors = 8;

    /// <summary>socketpair(2): two connected ends.</summary>
    public static (SafeFileHandle First, SafeFileHandle Second) Pair()
    {
        int* ends = stackalloc int[2];
        // SAFETY: the kernel writes two ints into the local buffer.
        if (socketpair(FamilyUnix, TypeStream | CloseOnExec, 0, ends) != 0)
        {
            throw SyscallException.Last("socketpair");
        }

        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>A listening, non-blocking socket at <paramref name="name"/> in an open directory, mode 0600.</summary>
    /// <remarks>sun_path holds 108 bytes; reached through /proc/self/fd the directory may be as deep as it likes.
    /// A socket left behind by a killed process is replaced.</remarks>
    public static SafeFileHandle Listen(SafeFileHandle directory, string name, int backlog = 64)
    {
        SafeFileHandle socket = New(TypeStream | NonBlocking);
        try
        {
            Files.Unlink(directory, name);
            // fchmod(2) before bind(2): the mode of the name is the mode of the socket's inode at that moment, less the umask.
            Files.ChangeMode(socket, 0x180, name);
            Call(bind, socket, directory, name, "bind");
            if (listen(Files.Fd(socket), backlog) != 0)
            {
                throw SyscallException.Last("listen", name);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A blocking socket connected to <paramref name="name"/> in an open directory.</summary>
    /// <returns>Null where nobody listens there: no such name, or its owner is gone.</returns>
    public static SafeFileHandle? TryConnect(SafeFileHandle directory, string name) => TryConnect(directory, name, TypeStream);

    private static SafeFileHandle? TryConnect(SafeFileHandle directory, string name, int type)
    {
        SafeFileHandle socket = New(type);
        try
        {
            Call(connect, socket, directory, name, "connect");
            return socket;
        }
        catch (SyscallException error) when (error.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A blocking socket connected to an absolute path, however long the directory's part of it is.</summary>
    /// <returns>Null where nobody listens there.</returns>
    public static SafeFileHandle? TryConnect(string path) => TryConnect(path, TypeStream);

    private static SafeFileHandle? TryConnect(string path, int type)
    {
        using SafeFileHandle directory = Files.Open(Path.GetDirectoryName(path) ?? "/", OpenFlags.Path | OpenFlags.Directory);
        return TryConnect(directory, Path.GetFileName(path), type);
    }

    /// <summary>accept4(2), the new socket non-blocking. Null where nobody waits, or the caller went away before.</summary>
    public static SafeFileHandle? TryAccept(SafeFileHandle listener)
    {
        int fd = accept4(Files.Fd(listener), 0, 0, CloseOnExec | NonBlocking);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true)
            : SyscallException.LastErrno is Errno.EAGAIN or Errno.ECONNABORTED or Errno.EINTR ? null
            : throw SyscallException.Last("accept4");
    }

    /// <summary>Who connected.</summary>
    public static PeerCredentials Peer(SafeFileHandle socket)
    {
        PeerCredentials peer = default;
        uint length = (uint)sizeof(PeerCredentials);
        // SAFETY: the kernel writes one struct ucred (12 bytes) into a local of that size.
        return getsockopt(Files.Fd(socket), LevelSocket, OptionPeerCredentials, &peer, &length) == 0
            ? peer : throw SyscallException.Last("getsockopt", null, "SO_PEERCRED");
    }

    /// <summary>shutdown(2) of the writing half: the peer reads the end of the stream.</summary>
    public static void EndWriting(SafeFileHandle socket)
    {
        if (shutdown(Files.Fd(socket), 1) != 0 && SyscallException.LastErrno != Errno.ENOTCONN)
        {
            throw SyscallException.Last("shutdown");
        }
    }

    /// <summary>sendmsg(2) once, with descriptors beside the first byte.</summary>
    /// <returns>The count taken; -1 with the errno where it fails: EAGAIN means no room now, EPIPE and ECONNRESET that the
    /// peer is gone.</returns>
    public static int TrySend(SafeFileHandle socket, ReadOnlySpan<byte> data, out Errno errno, params ReadOnlySpan<SafeFileHandle> descriptors)
    {
        byte* control = stackalloc byte[ControlBytes];
        // SAFETY: the data span is pinned for the call; header, vector and control buffer are locals that outlive it; the
        // caller keeps the descriptors alive.
        fixed (byte* p = data)
        {
            IoVector vector = new() { Base = p, Length = (nuint)data.Length };
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                ControlHeader* head = (ControlHeader*)control;
                head->Length = (nuint)(sizeof(ControlHeader) + (descriptors.Length * sizeof(int)));
                head->Level = LevelSocket;
                head->Type = ControlRights;
                int* numbers = (int*)(control + sizeof(ControlHeader));
                for (int i = 0; i < descriptors.Length; i++)
                {
                    numbers[i] = Files.Fd(descriptors[i]);
                }

                header.Control = control;
                header.ControlLength = Align(head->Length);
            }

            nint n;
            do
            {
                n = sendmsg(Files.Fd(socket), &header, MessageNoSignal);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
            return (int)n;
        }
    }

    /// <summary>recvmsg(2) once.</summary>
    /// <param name="received">Descriptors that came along are added here, owned by the caller; null closes them unread.</param>
    /// <returns>The count; 0 at the end of the stream; -1 with the errno where it fails (EAGAIN: nothing now).</returns>
    public static int TryReceive(SafeFileHandle socket, Span<byte> buffer, out Errno errno, List<SafeFileHandle>? received = null)
    {
        byte* control = stackalloc byte[ControlBytes];
        // SAFETY: the buffer is pinned for the call; header, vector and control buffer are locals that outlive it.
        fixed (byte* p = buffer)
        {
            IoVector vector = new() { Base = p, Length = (nuint)buffer.Length };
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlBytes };
            nint n;
            do
            {
                n = recvmsg(Files.Fd(socket), &header, MessageCloseOnExec);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
            ControlHeader* head = (ControlHeader*)control;
            if (n >= 0 && header.ControlLength >= (nuint)sizeof(ControlHeader) && head->Level == LevelSocket && head->Type == ControlRights)
            {
                int count = (int)((head->Length - (nuint)sizeof(ControlHeader)) / sizeof(int));
                int* numbers = (int*)(control + sizeof(ControlHeader));
                for (int i = 0; i < count; i++)
                {
                    SafeFileHandle handle = new(numbers[i], ownsHandle: true);
                    if (received is null)
                    {
                        handle.Dispose();
                    }
                    else
                    {
                        received.Add(handle);
                    }
                }
            }

            return (int)n;
        }
    }

    /// <param name="type">With the flags of socket(2).</param>
    private static SafeFileHandle New(int type)
    {
        int fd = socket(FamilyUnix, type | CloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("socket", "AF_UNIX");
    }

    private delegate int AddressCall(int fd, byte* address, uint length);

    private static void Call(AddressCall call, SafeFileHandle socket, SafeFileHandle directory, string name, string operation) =>
        Call(call, socket, Encoding.UTF8.GetBytes($"/proc/self/fd/{Files.Fd(directory)}/{name}"), operation, name, closed: true);

    /// <param name="closed">A zero byte ends the path.</param>
    private static void Call(AddressCall call, SafeFileHandle socket, ReadOnlySpan<byte> path, string operation, string target, bool closed)
    {
        byte* address = stackalloc byte[AddressBytes];
        new Span<byte>(address, AddressBytes).Clear();
        *(ushort*)address = FamilyUnix;
        if (path.Length > AddressBytes - 3)
        {
            throw new SyscallException(operation, target, Errno.ENAMETOOLONG, null, "a socket's name has at most some 80 bytes (unix(7))");
        }

        // SAFETY: sun_path starts at 2; the path fits and one byte stays for the terminating zero.
        path.CopyTo(new Span<byte>(address + 2, AddressBytes - 3));
        while (call(Files.Fd(socket), address, closed ? AddressBytes : (uint)path.Length + 2) != 0)
        {
            if (SyscallException.LastErrno != Errno.EINTR)
            {
                throw SyscallException.Last(operation, target);
            }
        }
    }

    private static nuint Align(nuint length) => (length + 7) & ~(nuint)7;

    private const int FamilyUnix = 1;
    private const int TypeStream = 1;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int AddressBytes = 110;
    private const int LevelSocket = 1;
    private const int OptionPeerCredentials = 17;
    private const int ControlRights = 1;
    private const int ControlBytes = 64;
    private const int MessageNoSignal = 0x4000;
    private const int MessageCloseOnExec = 0x40000000;

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>glibc's struct msghdr, 56 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct cmsghdr, 16 bytes; the data follows at once.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int family, int type, int protocol, int* ends);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int fd, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int fd, nint address, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int fd, MessageHeader* header, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int fd, MessageHeader* header, int flags);
}
