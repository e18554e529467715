using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Copies a directory's content as it is: owners, modes, times, extended attributes, links, nodes.</summary>
/// <remarks>Walks by directory handles and single names, never by path, and follows no link: the source is an image's.</remarks>
public sealed class TreeCopy
{
    private const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;
    private readonly byte[] _buffer = new byte[128 << 10];
    private readonly string _target;

    /// <summary>Files with several names: the first copy, held open to be linked again. An inode number is enough, the tree
    /// is one filesystem.</summary>
    private readonly Dictionary<ulong, (SafeFileHandle Directory, byte[] Name)> _linked = [];

    private TreeCopy(string target) => _target = target;

    /// <param name="from">Opened for reading.</param>
    /// <param name="target">Names the copy in an error.</param>
    /// <param name="to">An empty directory; it takes the owner and mode of <paramref name="from"/> too.</param>
    public static void Copy(SafeFileHandle from, SafeFileHandle to, string target)
    {
        TreeCopy copy = new(target);
        try
        {
            copy.Content(from, to);
            Dress(from, to, Files.Stat(from, target));
        }
        finally
        {
            foreach ((SafeFileHandle directory, byte[] _) in copy._linked.Values)
            {
                directory.Dispose();
            }
        }
    }

    private void Content(SafeFileHandle from, SafeFileHandle to)
    {
        foreach (DirectoryEntry entry in DirectoryListing.Read(from, _target))
        {
            FileMetadata metadata = Files.TryStatAt(from, entry.Name, out Errno errno) ?? throw Failed("statx", errno);
            switch (metadata.Type)
            {
                case FileType.Directory:
                    Check("mkdir", Files.TryMakeDirectory(to, entry.Name, 0x1C0));
                    using (SafeFileHandle source = Open(from, entry.Name, DirectoryFlags))
                    using (SafeFileHandle copy = Open(to, entry.Name, DirectoryFlags))
                    {
                        Content(source, copy);
                        Dress(source, copy, metadata);
                    }

                    break;
                case FileType.Regular when metadata.Links > 1 && _linked.TryGetValue(metadata.Inode, out (SafeFileHandle Directory, byte[] Name) first):
                    Check("link", Files.TryLink(first.Directory, first.Name, to, entry.Name));
                    break;
                case FileType.Regular:
                    Regular(from, to, entry.Name, metadata);
                    break;
                case FileType.SymbolicLink:
                    byte[] link = Files.TryReadLink(from, entry.Name, out errno) ?? throw Failed("readlink", errno);
                    Check("symlink", Files.TryMakeSymbolicLink(link, to, entry.Name));
                    Check("chown", Files.TryChangeOwner(to, entry.Name, metadata.UserId, metadata.GroupId));
                    Check("utimensat", Files.TrySetTimes(to, entry.Name, metadata.ModifiedSeconds, metadata.ModifiedNanoseconds));
                    break;
                case FileType.Socket:
                    // A socket file without its process means nothing.
                    break;
                default:
                    Check("mknod", Files.TryMakeNode(to, entry.Name, metadata.Type, metadata.Permissions, metadata.RawDeviceMajor, metadata.RawDeviceMinor));
                    Check("chown", Files.TryChangeOwner(to, entry.Name, metadata.UserId, metadata.GroupId));
                    Check("utimensat", Files.TrySetTimes(to, entry.Name, metadata.ModifiedSeconds, metadata.ModifiedNanoseconds));
                    break;
            }
        }
    }

    private void Regular(SafeFileHandle from, SafeFileHandle to, byte[] name, FileMetadata metadata)
    {
        using SafeFileHandle source = Open(from, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        using SafeFileHandle copy = Open(to, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
        for (int n; (n = Files.Read(source, _buffer, _target)) > 0;)
        {
            Files.Write(copy, _buffer.AsSpan(0, n), _target);
        }

        Dress(source, copy, metadata);
        if (metadata.Links > 1)
        {
            _linked[metadata.Inode] = (Open(to, "."u8, DirectoryFlags), name);
        }
    }

    /// <summary>Owner first: chown(2) clears setuid and file capabilities.</summary>
    private static void Dress(SafeFileHandle from, SafeFileHandle to, FileMetadata metadata)
    {
        Files.ChangeOwner(to, metadata.UserId, metadata.GroupId);
        Files.ChangeMode(to, metadata.Permissions);
        foreach (string name in Files.ListAttributes(from))
        {
            // trusted.* is the overlay's own bookkeeping.
            if (!name.StartsWith("trusted.", StringComparison.Ordinal) && Files.TryGetAttribute(from, name, out _) is { } value)
            {
                Errno errno = Files.TrySetAttribute(to, name, value);
                // EOPNOTSUPP: the copy's filesystem has no such attributes; docker goes on without as well.
                if (errno is not (Errno.None or Errno.EOPNOTSUPP))
                {
                    throw new SyscallException("fsetxattr", name, errno);
                }
            }
        }

        Files.SetTimes(to, metadata.ModifiedSeconds, metadata.ModifiedNanoseconds);
    }

    private SafeFileHandle Open(SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, uint mode = 0) =>
        Files.TryOpenAt(directory, name, flags, mode, out Errno errno) ?? throw Failed("open", errno);

    private void Check(string operation, Errno errno)
    {
        if (errno != Errno.None)
        {
            throw Failed(operation, errno);
        }
    }

    private SyscallException Failed(string operation, Errno errno) => new(operation, _target, errno, "filling it from the image");
}
