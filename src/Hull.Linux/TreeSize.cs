using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>How large a directory tree is.</summary>
public static class TreeSize
{
    /// <summary>Bytes of the regular files below a directory, a file of several names once; 0 where it does not exist. What others remove or
    /// move meanwhile is left out.</summary>
    /// <exception cref="SyscallException">A directory cannot be read.</exception>
    public static long Of(string path)
    {
        using SafeFileHandle? directory = Files.TryOpenAt(
            null, path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno);
        return directory is not null ? Of(directory, path, [])
            : errno == Errno.ENOENT ? 0
            : throw new SyscallException("open", path, errno);
    }

    private static long Of(SafeFileHandle directory, string path, HashSet<(uint, uint, ulong)> known)
    {
        long size = 0;
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, path))
        {
            if (Files.TryStatAt(directory, entry.Name, out _) is not { } found)
            {
                continue;
            }

            if (found.IsRegular && (found.Links == 1 || known.Add((found.DeviceMajor, found.DeviceMinor, found.Inode))))
            {
                size += (long)found.Size;
            }
            else if (found.IsDirectory)
            {
                using SafeFileHandle? inner = Files.TryOpenAt(
                    directory, entry.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno);
                size += inner is not null ? Of(inner, path, known)
                    : errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP ? 0
                    : throw new SyscallException("open", path, errno);
            }
        }

        return size;
    }
}
