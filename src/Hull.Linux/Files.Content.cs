using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Positions, lengths, times, owners and extended attributes of open files.</summary>
public static unsafe partial class Files
{
    /// <summary>pwrite(2) until all is written.</summary>
    public static void WriteAt(SafeFileHandle file, ReadOnlySpan<byte> data, long offset, string? target = null)
    {
        while (data.Length > 0)
        {
            nint n;
            // SAFETY: the span is pinned for the call and its length bounds the kernel's read.
            fixed (byte* p = data)
            {
                n = pwrite(Fd(file), p, (nuint)data.Length, offset);
            }

            if (n < 0)
            {
                if (SyscallException.LastErrno == Errno.EINTR)
                {
                    continue;
                }

                throw SyscallException.Last("pwrite", target);
            }

            data = data[(int)n..];
            offset += n;
        }
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
                n = pread(Fd(file), p, (nuint)buffer.Length, offset);
            }
            while (n < 0 && SyscallException.LastErrno == Errno.EINTR);
            return n >= 0 ? (int)n : throw SyscallException.Last("pread", target);
        }
    }

    /// <summary>ftruncate(2): cuts the file or lengthens it with a hole.</summary>
    public static void SetLength(SafeFileHandle file, long length, string? target = null)
    {
        if (ftruncate(Fd(file), length) != 0)
        {
            throw SyscallException.Last("ftruncate", target, $"length={length}");
        }
    }

    /// <summary>lseek(2) with SEEK_DATA (Linux 3.1): where data begins at or after an offset; null where none follows. A file system that knows no
    /// holes says that all is data.</summary>
    public static long? NextData(SafeFileHandle file, long offset, string? target = null)
    {
        long found = lseek(Fd(file), offset, SeekData);
        return found >= 0 ? found : SyscallException.LastErrno == Errno.ENXIO ? null : throw SyscallException.Last("lseek", target, "SEEK_DATA");
    }

    /// <summary>lseek(2) with SEEK_HOLE: where the next hole begins at or after an offset within the file; the end of the file is one.</summary>
    public static long NextHole(SafeFileHandle file, long offset, string? target = null)
    {
        long found = lseek(Fd(file), offset, SeekHole);
        return found >= 0 ? found : throw SyscallException.Last("lseek", target, "SEEK_HOLE");
    }

    /// <summary>futimens(3): access and modification time.</summary>
    public static void SetTimes(SafeFileHandle file, long seconds, uint nanoseconds, string? target = null)
    {
        long* times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        // SAFETY: two struct timespec of this frame.
        if (futimens(Fd(file), times) != 0)
        {
            throw SyscallException.Last("utimensat", target, $"seconds={seconds}");
        }
    }

    /// <summary>fchown(2). Clears setuid, setgid and file capabilities: set those after it.</summary>
    public static void ChangeOwner(SafeFileHandle file, uint user, uint group, string? target = null)
    {
        if (fchown(Fd(file), user, group) != 0)
        {
            throw SyscallException.Last("chown", target, $"uid={user} gid={group}");
        }
    }

    /// <summary>fsetxattr(2).</summary>
    public static Errno TrySetAttribute(SafeFileHandle file, string name, ReadOnlySpan<byte> value)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's read.
        fixed (byte* p = value)
        {
            return Result(fsetxattr(Fd(file), name, p, (nuint)value.Length, 0));
        }
    }

    /// <summary>fgetxattr(2); null with the errno where it fails (ENODATA: no such attribute).</summary>
    public static byte[]? TryGetAttribute(SafeFileHandle file, string name, out Errno errno)
    {
        byte[] buffer = new byte[256];
        while (true)
        {
            nint n;
            // SAFETY: the array is pinned for the call and its length bounds the kernel's write.
            fixed (byte* p = buffer)
            {
                n = fgetxattr(Fd(file), name, p, (nuint)buffer.Length);
            }

            errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            if (n >= 0)
            {
                return buffer.AsSpan(0, (int)n).ToArray();
            }

            // XATTR_SIZE_MAX, xattr(7).
            if (errno != Errno.ERANGE || buffer.Length >= 65536)
            {
                return null;
            }

            buffer = new byte[65536];
        }
    }

    /// <summary>flistxattr(2): the names of the attributes the caller may see.</summary>
    public static IReadOnlyList<string> ListAttributes(SafeFileHandle file, string? target = null)
    {
        // XATTR_LIST_MAX, xattr(7).
        byte[] buffer = new byte[65536];
        nint n;
        // SAFETY: the array is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = buffer)
        {
            n = flistxattr(Fd(file), p, (nuint)buffer.Length);
        }

        if (n < 0)
        {
            return SyscallException.LastErrno == Errno.EOPNOTSUPP ? [] : throw SyscallException.Last("flistxattr", target);
        }

        return Encoding.UTF8.GetString(buffer, 0, (int)n).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>syncfs(2): everything of the file system that holds the file. One call for many files.</summary>
    public static void SyncFileSystem(SafeFileHandle file, string? target = null)
    {
        if (syncfs(Fd(file)) != 0)
        {
            throw SyscallException.Last("syncfs", target);
        }
    }

    /// <summary>The process's umask, without changing it as umask(2) would (Linux 4.7); 022 where /proc does not tell.</summary>
    public static uint ReadCreationMask()
    {
        using SafeFileHandle? status = TryOpenAt(null, "/proc/self/status", OpenFlags.ReadOnly, 0, out _);
        if (status is not null)
        {
            string text = Encoding.ASCII.GetString(ReadAll(status, 65536, "/proc/self/status"));
            int at = text.IndexOf("\nUmask:\t", StringComparison.Ordinal);
            if (at >= 0)
            {
                int start = at + 8;
                return Convert.ToUInt32(text[start..text.IndexOf('\n', start)], 8);
            }
        }

        return 0x12;
    }

    private const int SeekData = 3;
    private const int SeekHole = 4;

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(int fd, long* times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(int fd, uint user, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fsetxattr(int fd, string name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint fgetxattr(int fd, string name, byte* value, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint flistxattr(int fd, byte* list, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);
}
