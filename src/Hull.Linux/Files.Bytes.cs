using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The calls on names for names as the kernel has them: any bytes but NUL and '/', not always UTF-8. Archives
/// and directory listings bring such names; a .NET string would lose them.</summary>
/// <remarks>Names are not terminated; the wrappers do it. A name with a NUL inside is EINVAL, one longer than NAME_MAX
/// ENAMETOOLONG. These return the errno: their callers decide by it (EEXIST, ENOENT) more often than they fail.</remarks>
public static unsafe partial class Files
{
    /// <summary>NAME_MAX: the longest name of one directory entry, bytes.</summary>
    public const int MaxNameBytes = 255;

    /// <summary>PATH_MAX less its NUL: the longest path or symbolic link target, bytes.</summary>
    public const int MaxPathBytes = 4095;

    /// <summary>openat2(2) of a path below <paramref name="directory"/>; null with the errno where it fails.</summary>
    public static SafeFileHandle? TryOpenBeneath(
        SafeFileHandle directory, ReadOnlySpan<byte> path, OpenFlags flags, uint mode, ResolveFlags resolve, out Errno errno)
    {
        byte* text = stackalloc byte[MaxPathBytes + 1];
        errno = Terminate(path, text, MaxPathBytes);
        if (errno != Errno.None)
        {
            return null;
        }

        OpenHow how = new()
        {
            Flags = (ulong)(uint)Native(flags | OpenFlags.CloseOnExec),
            Mode = (flags & OpenFlags.Create) != 0 ? mode : 0,
            Resolve = (ulong)resolve,
        };
        nint fd;
        do
        {
            // SAFETY: the kernel reads sizeof(OpenHow) bytes of a local and a terminated string of this frame.
            fd = openat2_bytes(SystemCallNumbers.openat2, Fd(directory), text, &how, (nuint)sizeof(OpenHow));
            errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        }
        while (errno is Errno.EINTR or Errno.EAGAIN);
        return fd < 0 ? null : new SafeFileHandle((int)fd, ownsHandle: true);
    }

    /// <summary>openat(2) of one name; null with the errno where it fails.</summary>
    public static SafeFileHandle? TryOpenAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, uint mode, out Errno errno)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        errno = Terminate(name, text, MaxNameBytes);
        if (errno != Errno.None)
        {
            return null;
        }

        int fd;
        do
        {
            // SAFETY: a terminated string of this frame.
            fd = openat_bytes(Fd(directory), text, Native(flags | OpenFlags.CloseOnExec), mode);
            errno = fd < 0 ? SyscallException.LastErrno : Errno.None;
        }
        while (errno == Errno.EINTR);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>mkdirat(2).</summary>
    public static Errno TryMakeDirectory(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        // SAFETY: a terminated string of this frame.
        return errno != Errno.None ? errno : Result(mkdirat_bytes(Fd(directory), text, mode));
    }

    /// <summary>mknodat(2).</summary>
    public static Errno TryMakeNode(
        SafeFileHandle directory, ReadOnlySpan<byte> name, FileType type, uint permissions, uint major, uint minor)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        // SAFETY: a terminated string of this frame.
        return errno != Errno.None
            ? errno
            : Result(mknodat_bytes(Fd(directory), text, (uint)type | permissions, DeviceNumber(major, minor)));
    }

    /// <summary>symlinkat(2).</summary>
    public static Errno TryMakeSymbolicLink(ReadOnlySpan<byte> target, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        byte* content = stackalloc byte[MaxPathBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        errno = errno != Errno.None ? errno : Terminate(target, content, MaxPathBytes);
        // SAFETY: two terminated strings of this frame.
        return errno != Errno.None ? errno : Result(symlinkat_bytes(content, Fd(directory), text));
    }

    /// <summary>linkat(2) with no flags: a link to a symbolic link links the link itself.</summary>
    public static Errno TryLink(
        SafeFileHandle fromDirectory, ReadOnlySpan<byte> from, SafeFileHandle toDirectory, ReadOnlySpan<byte> to)
    {
        byte* source = stackalloc byte[MaxNameBytes + 1];
        byte* target = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(from, source, MaxNameBytes);
        errno = errno != Errno.None ? errno : Terminate(to, target, MaxNameBytes);
        // SAFETY: two terminated strings of this frame.
        return errno != Errno.None ? errno : Result(linkat_bytes(Fd(fromDirectory), source, Fd(toDirectory), target, 0));
    }

    /// <summary>unlinkat(2).</summary>
    public static Errno TryUnlink(SafeFileHandle directory, ReadOnlySpan<byte> name, bool isDirectory)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        // SAFETY: a terminated string of this frame.
        return errno != Errno.None ? errno : Result(unlinkat_bytes(Fd(directory), text, isDirectory ? AtRemoveDirectory : 0));
    }

    /// <summary>renameat2(2).</summary>
    public static Errno TryRename(
        SafeFileHandle fromDirectory, ReadOnlySpan<byte> from, SafeFileHandle toDirectory, ReadOnlySpan<byte> to, RenameFlags flags)
    {
        byte* source = stackalloc byte[MaxNameBytes + 1];
        byte* target = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(from, source, MaxNameBytes);
        errno = errno != Errno.None ? errno : Terminate(to, target, MaxNameBytes);
        // SAFETY: two terminated strings of this frame.
        return errno != Errno.None ? errno : Result(renameat2_bytes(Fd(fromDirectory), source, Fd(toDirectory), target, (uint)flags));
    }

    /// <summary>readlinkat(2); null with the errno where it fails.</summary>
    public static byte[]? TryReadLink(SafeFileHandle directory, ReadOnlySpan<byte> name, out Errno errno)
    {
        Span<byte> target = stackalloc byte[MaxPathBytes + 1];
        int length = TryReadLink(directory, name, target, out errno);
        return length < 0 ? null : target[..length].ToArray();
    }

    /// <summary>readlinkat(2) of a path below the directory into a buffer, which cuts off what is longer.</summary>
    /// <returns>The count of bytes; -1 with the errno where it fails.</returns>
    public static int TryReadLink(SafeFileHandle directory, ReadOnlySpan<byte> path, Span<byte> target, out Errno errno)
    {
        byte* text = stackalloc byte[MaxPathBytes + 1];
        errno = Terminate(path, text, MaxPathBytes);
        if (errno != Errno.None)
        {
            return -1;
        }

        nint n;
        // SAFETY: a terminated string of this frame; the buffer is pinned for the call and its length is passed.
        fixed (byte* p = target)
        {
            n = readlinkat_bytes(Fd(directory), text, p, (nuint)target.Length);
        }

        errno = n < 0 ? SyscallException.LastErrno : Errno.None;
        return (int)n;
    }

    /// <summary>statx(2) of the entry itself; null with the errno where it fails.</summary>
    public static FileMetadata? TryStatAt(SafeFileHandle directory, ReadOnlySpan<byte> name, out Errno errno)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        errno = Terminate(name, text, MaxNameBytes);
        if (errno != Errno.None)
        {
            return null;
        }

        Statx buffer;
        // SAFETY: a terminated string, and one struct statx of this frame.
        errno = Result(statx_bytes(Fd(directory), text, AtSymlinkNoFollow, StatxBasic | StatxMountId, &buffer));
        return errno != Errno.None ? null : ToMetadata(buffer);
    }

    /// <summary>fchownat(2) of the entry itself.</summary>
    public static Errno TryChangeOwner(SafeFileHandle directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        // SAFETY: a terminated string of this frame.
        return errno != Errno.None ? errno : Result(fchownat_bytes(Fd(directory), text, user, group, AtSymlinkNoFollow));
    }

    /// <summary>fchmodat(2), which follows a symbolic link: for names known to be none.</summary>
    public static Errno TryChangeMode(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        // SAFETY: a terminated string of this frame.
        return errno != Errno.None ? errno : Result(fchmodat_bytes(Fd(directory), text, mode, 0));
    }

    /// <summary>utimensat(2) of the entry itself: access and modification time.</summary>
    public static Errno TrySetTimes(SafeFileHandle directory, ReadOnlySpan<byte> name, long seconds, uint nanoseconds)
    {
        byte* text = stackalloc byte[MaxNameBytes + 1];
        Errno errno = Terminate(name, text, MaxNameBytes);
        long* times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        // SAFETY: a terminated string and two struct timespec of this frame.
        return errno != Errno.None ? errno : Result(utimensat(Fd(directory), text, times, AtSymlinkNoFollow));
    }

    private static Errno Terminate(ReadOnlySpan<byte> name, byte* buffer, int limit)
    {
        if (name.Length > limit)
        {
            return Errno.ENAMETOOLONG;
        }

        if (name.Contains((byte)0))
        {
            return Errno.EINVAL;
        }

        // SAFETY: the caller's buffer holds limit + 1 bytes.
        name.CopyTo(new Span<byte>(buffer, limit));
        buffer[name.Length] = 0;
        return Errno.None;
    }

    private static Errno Result(int result) => result == 0 ? Errno.None : SyscallException.LastErrno;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint openat2_bytes(nint number, nint directory, byte* path, OpenHow* how, nuint size);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int openat_bytes(int directory, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    private static partial int mkdirat_bytes(int directory, byte* path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    private static partial int mknodat_bytes(int directory, byte* path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    private static partial int symlinkat_bytes(byte* target, int directory, byte* path);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    private static partial int linkat_bytes(int fromDirectory, byte* from, int toDirectory, byte* to, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int unlinkat_bytes(int directory, byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    private static partial int renameat2_bytes(int fromDirectory, byte* from, int toDirectory, byte* to, uint flags);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    private static partial nint readlinkat_bytes(int directory, byte* path, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int statx_bytes(int directory, byte* path, int flags, uint mask, Statx* buffer);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    private static partial int fchownat_bytes(int directory, byte* path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    private static partial int fchmodat_bytes(int directory, byte* path, uint mode, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int utimensat(int directory, byte* path, long* times, int flags);
}
