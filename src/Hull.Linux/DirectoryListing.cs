using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The entries of a directory, names as bytes, and the removal of whole trees.</summary>
public static unsafe partial class DirectoryListing
{
    /// <summary>How many directories of a tree are open at once while it is removed.</summary>
    private const int MaxOpenDepth = 32;

    private static long _moves;

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
    /// <remarks>A tree may be deeper than there are descriptors: what lies below <see cref="MaxOpenDepth"/> is moved up to the top of
    /// the tree and removed from there.</remarks>
    /// <exception cref="SyscallException">An entry cannot be removed.</exception>
    public static void RemoveTree(SafeFileHandle parent, ReadOnlySpan<byte> name, string? target = null)
    {
        if (TryUnlinkFile(parent, name, target))
        {
            return;
        }

        using (SafeFileHandle top = OpenDoomed(parent, name, target))
        {
            bool moved;
            do
            {
                moved = false;
                // Opened anew each time: a listing starts where the descriptor stands.
                using SafeFileHandle listing = Files.OpenAt(top, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
                foreach (DirectoryEntry entry in Read(listing, target))
                {
                    RemoveBelow(top, top, entry.Name, 1, ref moved, target);
                }
            }
            while (moved);
        }

        RemoveEmpty(parent, name, target);
    }

    private static void RemoveBelow(
        SafeFileHandle top, SafeFileHandle parent, ReadOnlySpan<byte> name, int depth, ref bool moved, string? target)
    {
        if (TryUnlinkFile(parent, name, target))
        {
            return;
        }

        if (depth >= MaxOpenDepth)
        {
            byte[] place = Encoding.ASCII.GetBytes($".doomed-{Environment.ProcessId}-{Interlocked.Increment(ref _moves)}");
            Errno errno = Files.TryRename(parent, name, top, place, RenameFlags.NoReplace);
            moved = errno == Errno.None ? true : throw new SyscallException("rename", target, errno, "a tree too deep to remove in place");
            return;
        }

        using (SafeFileHandle directory = OpenDoomed(parent, name, target))
        {
            foreach (DirectoryEntry entry in Read(directory, target))
            {
                RemoveBelow(top, directory, entry.Name, depth + 1, ref moved, target);
            }
        }

        RemoveEmpty(parent, name, target);
    }

    /// <summary>True where the name is gone; false where it is a directory.</summary>
    private static bool TryUnlinkFile(SafeFileHandle parent, ReadOnlySpan<byte> name, string? target)
    {
        Errno errno = Files.TryUnlink(parent, name, isDirectory: false);
        return errno switch
        {
            Errno.None or Errno.ENOENT => true,
            // unlink(2) of a directory is EISDIR on Linux, EPERM by POSIX.
            Errno.EISDIR or Errno.EPERM => false,
            _ => throw new SyscallException("unlink", target, errno),
        };
    }

    private static SafeFileHandle OpenDoomed(SafeFileHandle parent, ReadOnlySpan<byte> name, string? target)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            // Without root a directory's own mode may forbid listing or emptying it; if this fails, opening says why.
            _ = Files.TryChangeMode(parent, name, 0x1C0);
        }

        return Files.TryOpenAt(parent, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", target, errno);
    }

    private static void RemoveEmpty(SafeFileHandle parent, ReadOnlySpan<byte> name, string? target)
    {
        Errno errno = Files.TryUnlink(parent, name, isDirectory: true);
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
            RemoveTree(parent, Encoding.UTF8.GetBytes(Path.GetFileName(full)), path);
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
