using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Pipes, duplicates and non-blocking transfer: what an event loop does with descriptors.</summary>
/// <remarks>Stateless and thread-safe. Every descriptor made here is close-on-exec.</remarks>
public static unsafe partial class Descriptors
{
    /// <summary>pipe2(2).</summary>
    /// <param name="nonBlocking">O_NONBLOCK for both ends; use <see cref="SetNonBlocking"/> for one of them.</param>
    public static (SafeFileHandle Read, SafeFileHandle Write) Pipe(bool nonBlocking = false)
    {
        int* ends = stackalloc int[2];
        // SAFETY: the kernel writes two ints into the local buffer.
        if (pipe2(ends, (int)OpenFlags.CloseOnExec | (nonBlocking ? (int)OpenFlags.NonBlocking : 0)) != 0)
        {
            throw SyscallException.Last("pipe2");
        }

        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>fcntl(2) F_DUPFD_CLOEXEC: the same open file under a new number above 2.</summary>
    public static SafeFileHandle Duplicate(SafeFileHandle file) => DuplicateAbove(file, 3);

    /// <summary>fcntl(2) F_DUPFD_CLOEXEC under the lowest free number from <paramref name="first"/> on.</summary>
    public static SafeFileHandle DuplicateAbove(SafeFileHandle file, int first)
    {
        int fd = fcntl(Files.Fd(file), DuplicateCloseOnExec, first);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("fcntl", null, "F_DUPFD_CLOEXEC");
    }

    /// <summary>fcntl(2) F_SETFL: sets or clears O_NONBLOCK on the open file description, which other processes may share.</summary>
    public static void SetNonBlocking(SafeFileHandle file, bool on = true)
    {
        int flags = fcntl(Files.Fd(file), GetFlags, 0);
        int wanted = on ? flags | (int)OpenFlags.NonBlocking : flags & ~(int)OpenFlags.NonBlocking;
        if (flags < 0 || (flags != wanted && fcntl(Files.Fd(file), SetFlags, wanted) < 0))
        {
            throw SyscallException.Last("fcntl", null, "O_NONBLOCK");
        }
    }

    /// <summary>read(2) once. The count, 0 at the end of the file; -1 with the errno where it fails: EAGAIN means
    /// nothing to read now, EIO on a pseudo-terminal's master that the last slave is closed.</summary>
    public static int TryRead(SafeFileHandle file, Span<byte> buffer, out Errno errno)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = buffer)
        {
            nint n;
            do
            {
                n = read(Files.Fd(file), p, (nuint)buffer.Length);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
            return (int)n;
        }
    }

    /// <summary>write(2) once. The count taken; -1 with the errno where it fails: EAGAIN means no room now, EPIPE that
    /// the reader is gone.</summary>
    public static int TryWrite(SafeFileHandle file, ReadOnlySpan<byte> data, out Errno errno)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's read.
        fixed (byte* p = data)
        {
            nint n;
            do
            {
                n = write(Files.Fd(file), p, (nuint)data.Length);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
            return (int)n;
        }
    }

    /// <summary>splice(2) once, one of the two a pipe's end: moves bytes within the kernel. Waits for nothing where the other one is
    /// non-blocking. Into a socket whose connection is over it raises SIGPIPE, which .NET ignores.</summary>
    /// <returns>The count; 0 at the end of the source; -1 with the errno where it fails: EAGAIN means that the source has nothing now, or
    /// the target no room.</returns>
    public static int TrySplice(SafeFileHandle from, SafeFileHandle to, int count, out Errno errno)
    {
        nint n;
        do
        {
            n = splice(Files.Fd(from), 0, Files.Fd(to), 0, (nuint)count, SpliceMove | SpliceNonBlocking);
            errno = n < 0 ? SyscallException.LastErrno : Errno.None;
        }
        while (errno == Errno.EINTR);
        return (int)n;
    }

    /// <summary>pread(2) once; 0 at the end of the file.</summary>
    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset, string? target = null)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = buffer)
        {
            nint n;
            do
            {
                n = pread(Files.Fd(file), p, (nuint)buffer.Length, offset);
            }
            while (n < 0 && SyscallException.LastErrno == Errno.EINTR);
            return n >= 0 ? (int)n : throw SyscallException.Last("pread", target);
        }
    }

    /// <summary>ftruncate(2).</summary>
    public static void Truncate(SafeFileHandle file, long length, string? target = null)
    {
        if (ftruncate(Files.Fd(file), length) != 0)
        {
            throw SyscallException.Last("ftruncate", target, $"length={length}");
        }
    }

    /// <summary>fcntl(2) F_GETFD: whether a number is open and came with the execve; what this process opens itself is close-on-exec.</summary>
    public static bool IsInherited(int descriptor)
    {
        int flags = fcntl(descriptor, GetDescriptorFlags, 0);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1; // FD_CLOEXEC
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int DuplicateCloseOnExec = 1030;
    private const uint SpliceMove = 1;
    private const uint SpliceNonBlocking = 2;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint splice(int from, nint fromOffset, int to, nint toOffset, nuint count, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);
}
