using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The entries of a directory, names as bytes, and the removal of whole trees.</summary>
public static unsafe partial class DirectoryListing
{
    /// <summary>getdents64(2): every entry but <c>.</c> and <c>..</c>, in the file system's order.</summary>
    public static IReadOnlyList<DirectoryEntry> Read(SafeFileHandle directory, string? target = null)
    {
        List<DirectoryEntry> entries = [];
        byte[] buffer = new byte[32768];
        while (true)
        {
            nint n;
            // SAFETY: the array is pinned for the call and its length bounds the kernel's write.
            fixed (byte* p = buffer)
            {
                n = getdents64(Files.Fd(directory), p, (nuint)buffer.Length);
            }

            if (n < 0)
            {
                throw SyscallException.Last("getdents64", target);
            }

            if (n == 0)
            {
                return entries;
            }

            Parse(buffer.AsSpan(0, (int)n), entries);
        }
    }

    /// <summary>Removes a name and, if it is a directory, all below it, never through a symbolic link or into another
    /// file system's mount. Nothing where the name is missing.</summary>
    /// <exception cref="SyscallException">An entry cannot be removed.</exception>
    public static void RemoveTree(SafeFileHandle parent, ReadOnlySpan<byte> name, string? target = null)
    {
        Errno errno = Files.TryUnlink(parent, name, isDirectory: false);
        if (errno is Errno.None or Errno.ENOENT)
        {
            return;
        }

        // unlink(2) of a directory is EISDIR on Linux, EPERM by POSIX.
        if (errno is not (Errno.EISDIR or Errno.EPERM))
        {
            throw new SyscallException("unlink", target, errno);
        }

        using (SafeFileHandle? directory = Files.TryOpenAt(
            parent, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno openErrno))
        {
            if (directory is null)
            {
                throw new SyscallException("open", target, openErrno);
            }

            foreach (DirectoryEntry entry in Read(directory, target))
            {
                RemoveTree(directory, entry.Name, target);
            }
        }

        errno = Files.TryUnlink(parent, name, isDirectory: true);
        if (errno is not (Errno.None or Errno.ENOENT))
        {
            throw new SyscallException("rmdir", target, errno);
        }
    }

    /// <summary><see cref="RemoveTree(SafeFileHandle, ReadOnlySpan{byte}, string?)"/> of a path.</summary>
    public static void RemoveTree(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(path);
        using SafeFileHandle? parent = Files.TryOpenAt(
            null, Path.GetDirectoryName(full) is { Length: > 0 } directory ? directory : ".", OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        if (parent is not null)
        {
            RemoveTree(parent, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(full)), path);
        }
        else if (errno != Errno.ENOENT)
        {
            throw new SyscallException("open", Path.GetDirectoryName(full), errno);
        }
    }

    /// <summary>struct linux_dirent64: inode (8), offset (8), record length (2), type (1), name and NUL.</summary>
    private static void Parse(ReadOnlySpan<byte> records, List<DirectoryEntry> entries)
    {
        while (records.Length > 0)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
            ReadOnlySpan<byte> name = records[19..length];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                // DT_ values are the S_IFMT bits shifted right by 12.
                entries.Add(new DirectoryEntry(name.ToArray(), (FileType)((uint)records[18] << 12)));
            }

            records = records[length..];
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getdents64(int fd, byte* buffer, nuint count);
}

/// <summary>One name of a directory. The type is 0 where the file system does not tell.</summary>
public readonly record struct DirectoryEntry(byte[] Name, FileType Type);
