using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Diffing;

/// <summary>Compares what two stacks of layers show. One use.</summary>
/// <remarks>Kind, mode, owner, attributes and content count. Times do not: an image that is built again has new ones throughout. A layer that both
/// stacks have gives the very same inodes, which need no reading.</remarks>
internal sealed class TreeComparison
{
    private readonly List<PathChange> _changes = [];
    private readonly byte[] _left = new byte[128 * 1024];
    private readonly byte[] _right = new byte[128 * 1024];

    /// <param name="before">The directories of one stack, top first.</param>
    /// <param name="after">Those of the other.</param>
    /// <returns>What turns the first into the second, in the order of the paths' bytes.</returns>
    public static IReadOnlyList<PathChange> Compare(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        TreeComparison comparison = new();
        using MergedDirectory left = MergedDirectory.Open(before);
        using MergedDirectory right = MergedDirectory.Open(after);
        comparison.Contents(left, right, [], 1);
        return comparison._changes;
    }

    private void Contents(MergedDirectory before, MergedDirectory after, byte[] path, int depth)
    {
        EntryPath.CheckDepth(path, depth);
        SortedDictionary<byte[], (MergedEntry? Before, MergedEntry? After)> names = new(ByteOrder.Instance);
        foreach (MergedEntry entry in before.Entries())
        {
            names[entry.Name] = (entry, null);
        }

        foreach (MergedEntry entry in after.Entries())
        {
            names[entry.Name] = (names.GetValueOrDefault(entry.Name).Before, entry);
        }

        foreach ((byte[] name, (MergedEntry? old, MergedEntry? now)) in names)
        {
            byte[] child = path.Length == 0 ? name : [.. path, (byte)'/', .. name];
            int at = _changes.Count;
            bool same = old is not null && now is not null && IsSame(old, now, child);
            if (!same)
            {
                _changes.Add(new PathChange(old is null ? ChangeKind.Added : now is null ? ChangeKind.Deleted : ChangeKind.Modified, child));
            }

            // What a deleted directory held is deleted with it and not told; a new one's contents are.
            if (now is { Metadata.IsDirectory: true })
            {
                using MergedDirectory left = before.Child(name);
                using MergedDirectory right = after.Child(name);
                Contents(left, right, child, depth + 1);
                if (same && _changes.Count > at)
                {
                    // As docker: a directory with changes in it is told too.
                    _changes.Insert(at, new PathChange(ChangeKind.Modified, child));
                }
            }
        }
    }

    private bool IsSame(MergedEntry before, MergedEntry after, byte[] path)
    {
        (FileMetadata a, FileMetadata b) = (before.Metadata, after.Metadata);
        if ((a.DeviceMajor, a.DeviceMinor, a.Inode) == (b.DeviceMajor, b.DeviceMinor, b.Inode))
        {
            return true;
        }

        return (a.Mode, a.UserId, a.GroupId, a.RawDeviceMajor, a.RawDeviceMinor) == (b.Mode, b.UserId, b.GroupId, b.RawDeviceMajor, b.RawDeviceMinor)
            && a.Type switch
            {
                FileType.Regular => a.Size == b.Size && HaveSameContent(before, after, path),
                FileType.Directory => HaveSameContent(before, after, path),
                FileType.SymbolicLink => Target(before, path).AsSpan().SequenceEqual(Target(after, path)),
                _ => true,
            };
    }

    /// <summary>Attributes, and of files the bytes.</summary>
    private bool HaveSameContent(MergedEntry before, MergedEntry after, byte[] path)
    {
        string display = TarEntry.Display(path);
        using SafeFileHandle left = Open(before, display);
        using SafeFileHandle right = Open(after, display);
        if (!LayerAttributes.AreEqual(left, right, display))
        {
            return false;
        }

        for (long at = 0; before.Metadata.IsRegular && at < (long)before.Metadata.Size;)
        {
            int n = Fill(left, _left, at, display);
            if (n == 0 || Fill(right, _right, at, display) != n || !_left.AsSpan(0, n).SequenceEqual(_right.AsSpan(0, n)))
            {
                return false;
            }

            at += n;
        }

        return true;
    }

    private static int Fill(SafeFileHandle file, byte[] buffer, long at, string display)
    {
        int have = 0;
        while (have < buffer.Length && Files.ReadAt(file, buffer.AsSpan(have), at + have, display) is > 0 and int n)
        {
            have += n;
        }

        return have;
    }

    private static SafeFileHandle Open(MergedEntry entry, string display) =>
        Files.TryOpenAt(entry.Parent, entry.Name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking, 0, out Errno errno)
        ?? throw new SyscallException("open", display, errno);

    private static byte[] Target(MergedEntry entry, byte[] path) =>
        Files.TryReadLink(entry.Parent, entry.Name, out Errno errno) ?? throw new SyscallException("readlink", TarEntry.Display(path), errno);
}
