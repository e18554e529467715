using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The entries of a directory, names as bytes, and the removal of whole trees.</summary>
public static class DirectoryListing
{
    /// <summary>How many directories of a tree are open at once while it is removed.</summary>
    private const int MaxOpenDepth = 32;

    private static long _moves;

    /// <summary>getdents64(2): every entry but <c>.</c> and <c>..</c>, in the file system's order.</summary>
    public static IReadOnlyList<DirectoryEntry> Read(SafeFileHandle directory, string? target = null)
    {
        List<DirectoryEntry> entries = [];
        byte[] buffer = ArrayPool<byte>.Shared.Rent(32768);
        try
        {
            DirectoryReader reader = new(directory, buffer, target);
            while (reader.MoveNext())
            {
                entries.Add(new DirectoryEntry(reader.Name.ToArray(), reader.Type));
            }

            return entries;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
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
}

/// <summary>One name of a directory. The type is 0 where the file system does not tell.</summary>
public readonly record struct DirectoryEntry(byte[] Name, FileType Type);
