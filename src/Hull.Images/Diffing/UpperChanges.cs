using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Diffing;

/// <summary>Walks the writable directory of an overlay and tells what it changes of the layers below: in the order of the names' bytes,
/// directories before their contents. One use, one thread.</summary>
/// <remarks>Overlayfs copies a directory up when something in it changes, and an engine needs places for its mounts: neither is a
/// change of its own, but a directory with changes in it is told too, as docker does.</remarks>
internal sealed class UpperChanges
{
    private readonly UpperDirectory _upper;
    private readonly Action<UpperChange> _tell;
    private readonly Action<byte[], MergedEntry?> _passOver;
    private readonly List<UpperChange> _untold = [];

    private UpperChanges(UpperDirectory upper, Action<UpperChange> tell, Action<byte[], MergedEntry?> passOver) =>
        (_upper, _tell, _passOver) = (upper, tell, passOver);

    /// <summary>Walks the directory.</summary>
    /// <param name="lower">The directories below it, top first.</param>
    /// <param name="tell">Called with each change; its handle is valid during the call.</param>
    /// <param name="passOver">Called with the path of each file or directory that is no change, and with what it stands for in the layers below.</param>
    /// <exception cref="ImageException">Host: a tree deeper than a layer may be.</exception>
    /// <exception cref="SyscallException">A file cannot be read.</exception>
    public static void Walk(
        UpperDirectory upper, IReadOnlyList<string> lower, Action<UpperChange> tell, Action<byte[], MergedEntry?>? passOver = null)
    {
        using SafeFileHandle above = Files.Open(upper.Path, OpenFlags.ReadOnly | OpenFlags.Directory);
        using MergedDirectory below = MergedDirectory.Open(lower);
        new UpperChanges(upper, tell, passOver ?? (static (_, _) => { })).Contents(above, below, [], 1);
    }

    private void Contents(SafeFileHandle directory, MergedDirectory below, byte[] path, int depth)
    {
        EntryPath.CheckDepth(path, depth);
        foreach (DirectoryEntry listed in DirectoryListing.Read(directory, TarEntry.Display(path)).OrderBy(entry => entry.Name, ByteOrder.Instance))
        {
            byte[] name = listed.Name;
            byte[] child = path.Length == 0 ? name : [.. path, (byte)'/', .. name];
            if (Files.TryStatAt(directory, name, out Errno errno) is not { } onDisk)
            {
                if (errno == Errno.ENOENT)
                {
                    // A container that runs has removed it since it was listed.
                    continue;
                }

                throw new SyscallException("statx", TarEntry.Display(child), errno);
            }

            FileMetadata found = _upper.InContainer(onDisk);
            MergedEntry? old = below.Find(name, child);
            if (found.IsDirectory)
            {
                Directory(directory, below, name, child, found, old, depth);
            }
            else if (Whiteout.Is(found))
            {
                if (old is not null)
                {
                    Tell(new UpperChange(ChangeKind.Deleted, child, directory, name, found, false));
                }
            }
            else if (old is not null || !_upper.IsScaffold(child, found))
            {
                Tell(new UpperChange(old is null ? ChangeKind.Added : ChangeKind.Modified, child, directory, name, found, false));
            }
            else
            {
                _passOver(child, null);
            }
        }
    }

    private void Directory(
        SafeFileHandle parent, MergedDirectory below, byte[] name, byte[] path, FileMetadata found, MergedEntry? old, int depth)
    {
        using SafeFileHandle directory = Files.TryOpenAt(
            parent, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", TarEntry.Display(path), errno);
        bool wasDirectory = old is { Metadata.IsDirectory: true };
        // A directory that is new is opaque too, which says nothing where there is nothing to hide.
        bool opaque = wasDirectory && Whiteout.IsOpaque(directory);
        bool scaffold = _upper.IsScaffold(path, found);
        UpperChange change = new(old is null ? ChangeKind.Added : ChangeKind.Modified, path, parent, name, found, opaque);
        bool changed = wasDirectory ? opaque || !IsSame(directory, found, old!, path, withTime: !scaffold) : old is not null || !scaffold;
        if (changed)
        {
            Tell(change);
        }
        else
        {
            _untold.Add(change);
        }

        int waiting = _untold.Count;
        using (MergedDirectory inner = opaque || !wasDirectory ? MergedDirectory.Open([]) : below.Child(name))
        {
            Contents(directory, inner, path, depth + 1);
        }

        if (!changed && _untold.Count == waiting)
        {
            _untold.RemoveAt(waiting - 1);
            _passOver(path, old);
        }
    }

    /// <summary>Whether a directory is as the one below it, contents aside.</summary>
    private static bool IsSame(SafeFileHandle directory, FileMetadata found, MergedEntry old, byte[] path, bool withTime)
    {
        FileMetadata before = old.Metadata;
        if (found.Permissions != before.Permissions || found.UserId != before.UserId || found.GroupId != before.GroupId
            || (withTime && (found.ModifiedSeconds, found.ModifiedNanoseconds) != (before.ModifiedSeconds, before.ModifiedNanoseconds)))
        {
            return false;
        }

        using SafeFileHandle below = Files.TryOpenAt(
            old.Parent, old.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", TarEntry.Display(path), errno);
        return LayerAttributes.AreEqual(directory, below, TarEntry.Display(path));
    }

    private void Tell(UpperChange change)
    {
        foreach (UpperChange parent in _untold)
        {
            _tell(parent);
        }

        _untold.Clear();
        _tell(change);
    }
}

/// <summary>One change of an upper directory.</summary>
/// <param name="Path">Without a leading slash.</param>
/// <param name="Parent">The upper directory that has the entry; valid while the change is told.</param>
/// <param name="IsOpaque">A directory that hides what the layers below have in one of its name.</param>
internal sealed record UpperChange(ChangeKind Kind, byte[] Path, SafeFileHandle Parent, byte[] Name, FileMetadata Metadata, bool IsOpaque);
