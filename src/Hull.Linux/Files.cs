using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Opening, reading and writing files by descriptor. Every descriptor is close-on-exec.</summary>
/// <remarks>Stateless and thread-safe. A null directory handle means the current directory (AT_FDCWD).</remarks>
public static unsafe partial class Files
{
    internal const int AtCurrentDirectory = -100;
    internal const int AtSymlinkNoFollow = 0x100;
    internal const int AtRemoveDirectory = 0x200;
    internal const int AtSymlinkFollow = 0x400;
    internal const int AtEmptyPath = 0x1000;

    /// <summary>open(2).</summary>
    /// <exception cref="SyscallException">The kernel refused; the target is the path.</exception>
    public static SafeFileHandle Open(string path, OpenFlags flags, uint mode = 0) => OpenAt(null, path, flags, mode);

    /// <summary>openat(2).</summary>
    public static SafeFileHandle OpenAt(SafeFileHandle? directory, string path, OpenFlags flags, uint mode = 0) =>
        TryOpenAt(directory, path, flags, mode, out Errno errno)
        ?? throw new SyscallException("open", path, errno, $"flags={flags}");

    /// <summary>openat(2); null with the errno where it fails.</summary>
    public static SafeFileHandle? TryOpenAt(SafeFileHandle? directory, string path, OpenFlags flags, uint mode, out Errno errno)
    {
        int fd;
        do
        {
            fd = openat(Fd(directory), path, Native(flags | OpenFlags.CloseOnExec), mode);
            errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        }
        while (errno == Errno.EINTR);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>openat2(2): opens <paramref name="path"/> with the kernel, not string work, keeping the walk inside
    /// <paramref name="root"/> (Linux 5.6).</summary>
    /// <exception cref="SyscallException">EXDEV where Beneath is left, ELOOP where a forbidden link is met, and the
    /// errors of open(2).</exception>
    public static SafeFileHandle OpenBeneath(
        SafeFileHandle root, string path, OpenFlags flags, uint mode = 0, ResolveFlags resolve = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks) =>
        TryOpenBeneath(root, path, flags, mode, resolve, out Errno errno)
        ?? throw new SyscallException("openat2", path, errno, $"flags={flags} resolve={resolve}");

    /// <summary>openat2(2); null with the errno where it fails.</summary>
    public static SafeFileHandle? TryOpenBeneath(
        SafeFileHandle root, string path, OpenFlags flags, uint mode, ResolveFlags resolve, out Errno errno)
    {
        OpenHow how = new()
        {
            Flags = (ulong)(uint)Native(flags | OpenFlags.CloseOnExec),
            // The kernel refuses a mode without O_CREAT or O_TMPFILE (EINVAL).
            Mode = (flags & OpenFlags.Create) != 0 || (flags & OpenFlags.TemporaryFile) == OpenFlags.TemporaryFile ? mode : 0,
            Resolve = (ulong)resolve,
        };
        nint fd;
        do
        {
            // SAFETY: the kernel reads sizeof(OpenHow) bytes of a local and a string pinned by the marshaller.
            fd = openat2(SystemCallNumbers.openat2, Fd(root), path, &how, (nuint)sizeof(OpenHow));
            errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        }
        // EAGAIN: a rename raced with the walk of ".."; openat2(2) says to try again.
        while (errno is Errno.EINTR or Errno.EAGAIN);
        return fd < 0 ? null : new SafeFileHandle((int)fd, ownsHandle: true);
    }

    /// <summary>read(2) once; 0 at the end of the file.</summary>
    public static int Read(SafeFileHandle file, Span<byte> buffer, string? target = null)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = buffer)
        {
            nint n;
            do
            {
                n = read(Fd(file), p, (nuint)buffer.Length);
            }
            while (n < 0 && SyscallException.LastErrno == Errno.EINTR);
            return n >= 0 ? (int)n : throw SyscallException.Last("read", target);
        }
    }

    /// <summary>write(2) until all is written.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> data, string? target = null)
    {
        while (data.Length > 0)
        {
            nint n;
            // SAFETY: the span is pinned for the call and its length bounds the kernel's read.
            fixed (byte* p = data)
            {
                n = write(Fd(file), p, (nuint)data.Length);
            }

            if (n < 0)
            {
                if (SyscallException.LastErrno == Errno.EINTR)
                {
                    continue;
                }

                throw SyscallException.Last("write", target);
            }

            data = data[(int)n..];
        }
    }

    /// <summary>The whole of a file, at most <paramref name="limit"/> bytes.</summary>
    /// <exception cref="InvalidDataException">The file is longer than the limit.</exception>
    public static byte[] ReadAll(SafeFileHandle file, int limit, string? target = null)
    {
        byte[] buffer = new byte[Math.Min(limit, 4096) + 1];
        int length = 0;
        while (true)
        {
            int n = Read(file, buffer.AsSpan(length), target);
            if (n == 0)
            {
                return buffer.AsSpan(0, length).ToArray();
            }

            length += n;
            if (length > limit)
            {
                throw new InvalidDataException($"{target ?? "file"} is longer than {limit} bytes");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min((long)buffer.Length * 2, (long)limit + 1));
            }
        }
    }

    /// <summary>fsync(2).</summary>
    public static void Sync(SafeFileHandle file, string? target = null)
    {
        if (fsync(Fd(file)) != 0)
        {
            throw SyscallException.Last("fsync", target);
        }
    }

    /// <summary>statx(2) on an open file, O_PATH handles included.</summary>
    public static FileMetadata Stat(SafeFileHandle file, string? target = null) =>
        TryStatAt(file, "", followLinks: false, out Errno errno) ?? throw new SyscallException("statx", target, errno);

    /// <summary>statx(2) by name; null with the errno where it fails.</summary>
    public static FileMetadata? TryStatAt(SafeFileHandle? directory, string path, bool followLinks, out Errno errno)
    {
        Statx buffer;
        int flags = (followLinks ? 0 : AtSymlinkNoFollow) | (path.Length == 0 ? AtEmptyPath : 0);
        // SAFETY: the kernel writes one struct statx into a local of that size.
        int result = statx(Fd(directory), path, flags, StatxBasic | StatxMountId, &buffer);
        errno = result == 0 ? Errno.None : SyscallException.LastErrno;
        return result != 0 ? null : ToMetadata(buffer);
    }

    private static FileMetadata ToMetadata(in Statx buffer) => new()
    {
        Mode = buffer.Mode,
        UserId = buffer.Uid,
        GroupId = buffer.Gid,
        Size = buffer.Size,
        Inode = buffer.Ino,
        Links = buffer.Nlink,
        Blocks = buffer.Blocks,
        ModifiedSeconds = buffer.MtimeSec,
        ModifiedNanoseconds = buffer.MtimeNsec,
        DeviceMajor = buffer.DevMajor,
        DeviceMinor = buffer.DevMinor,
        RawDeviceMajor = buffer.RdevMajor,
        RawDeviceMinor = buffer.RdevMinor,
        MountId = (buffer.Mask & StatxMountId) != 0 ? buffer.MountId : 0,
    };

    /// <summary>The descriptor number behind a handle, AT_FDCWD for null. Valid only while the caller keeps the handle alive.</summary>
    internal static int Fd(SafeFileHandle? handle) =>
        handle is null ? AtCurrentDirectory : (int)handle.DangerousGetHandle();

    /// <summary>Flags as this architecture numbers them: arm64 swaps O_DIRECTORY and O_NOFOLLOW with O_DIRECT and
    /// O_LARGEFILE (arch/arm64/include/uapi/asm/fcntl.h).</summary>
    internal static int Native(OpenFlags flags)
    {
        int value = (int)flags;
        if (RuntimeInformation.ProcessArchitecture != Architecture.Arm64)
        {
            return value;
        }

        int swapped = value & ~(0x10000 | 0x20000);
        swapped |= (value & 0x10000) != 0 ? 0x4000 : 0;
        swapped |= (value & 0x20000) != 0 ? 0x8000 : 0;
        return swapped;
    }

    private const uint StatxBasic = 0x7ff;
    private const uint StatxMountId = 0x1000;

    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>struct statx, 256 bytes (include/uapi/linux/stat.h).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(0)] public uint Mask;
        [FieldOffset(16)] public uint Nlink;
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(24)] public uint Gid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Ino;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(112)] public long MtimeSec;
        [FieldOffset(120)] public uint MtimeNsec;
        [FieldOffset(128)] public uint RdevMajor;
        [FieldOffset(132)] public uint RdevMinor;
        [FieldOffset(136)] public uint DevMajor;
        [FieldOffset(140)] public uint DevMinor;
        [FieldOffset(144)] public ulong MountId;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint openat2(nint number, nint directory, string path, OpenHow* how, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Statx* buffer);
}
