using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>What file system a path is on.</summary>
public static unsafe partial class Files
{
    /// <summary>CGROUP2_SUPER_MAGIC, include/uapi/linux/magic.h.</summary>
    public const long Cgroup2Magic = 0x63677270;

    /// <summary>f_type of statfs(2); null with the errno where it fails.</summary>
    public static long? TryFileSystemMagic(string path, out Errno errno)
    {
        StatFs buffer;
        // SAFETY: the kernel writes one struct statfs (120 bytes on 64-bit machines) into a local of that size.
        int result = statfs(path, &buffer);
        errno = result == 0 ? Errno.None : SyscallException.LastErrno;
        return result == 0 ? buffer.Type : null;
    }

    /// <summary>Whether a file system of this kind (f_type of statfs(2)) is mounted at a place, and not read-only.</summary>
    public static bool IsWritableFileSystem(string path, long magic)
    {
        const long ReadOnly = 1; // ST_RDONLY, include/linux/statfs.h
        StatFs buffer;
        // SAFETY: as above.
        return statfs(path, &buffer) == 0 && buffer.Type == magic && (buffer.Flags & ReadOnly) == 0;
    }

    /// <summary>How full the file system of a path is, as df(1) has it: 0 to 1, what only root may use left out.</summary>
    /// <exception cref="SyscallException">statfs(2) failed.</exception>
    public static (double Used, long TotalBytes) FileSystemUse(string path)
    {
        StatFs buffer;
        // SAFETY: as above.
        if (statfs(path, &buffer) != 0)
        {
            throw SyscallException.Last("statfs", path);
        }

        long used = buffer.Blocks - buffer.Free;
        long usable = used + buffer.Available;
        return (usable == 0 ? 0 : (double)used / usable, usable * buffer.BlockSize);
    }

    /// <summary>struct statfs of 64-bit machines (include/uapi/asm-generic/statfs.h).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct StatFs
    {
        [FieldOffset(0)] public long Type;
        [FieldOffset(8)] public long BlockSize;
        [FieldOffset(16)] public long Blocks;
        [FieldOffset(24)] public long Free;
        [FieldOffset(32)] public long Available;
        [FieldOffset(80)] public long Flags;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, StatFs* buffer);
}
