using Hull.Images.Tar;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Whiteouts, opaque and implicit directories, and hard links.</summary>
internal sealed partial class LayerUnpacker
{
    /// <summary>AUFS kept link counts and orphans below such names; docker skips them too.</summary>
    internal static bool IsBookkeeping(EntryPath path)
    {
        foreach (byte[] component in path.Components)
        {
            if (component.AsSpan().StartsWith(Whiteout.MetaPrefix) && !component.AsSpan().SequenceEqual(Whiteout.Opaque))
            {
                return true;
            }
        }

        return false;
    }

    private void AddWhiteout(LayerDirectory parent, EntryPath path)
    {
        if (path.Name.AsSpan().SequenceEqual(Whiteout.Opaque))
        {
            if (parent.Path.Length == 0)
            {
                // overlayfs does not look at the attribute of a layer's root: done by name in Complete.
                _opaqueRoot = true;
            }
            else
            {
                SetOpaque(parent.Handle, TarEntry.Display(path.Whole));
            }

            return;
        }

        byte[] hidden = path.Name[Whiteout.Prefix.Length..];
        if (hidden is [] or [(byte)'.'] or [(byte)'.', (byte)'.'])
        {
            throw Corrupt($"path traversal: the whiteout '{TarEntry.Display(path.Whole)}' names no file of its directory, so it is refused");
        }

        Errno errno = Files.TryMakeNode(parent.Handle, hidden, FileType.CharacterDevice, 0, 0, 0);
        switch (errno)
        {
            case Errno.None:
                return;
            case Errno.EEXIST:
                // A whiteout concerns the layers below only; what this layer has under the name stays. A directory
                // must then hide what the layers below have in it.
                if (Files.TryStatAt(parent.Handle, hidden, out _) is { IsDirectory: true })
                {
                    MakeOpaque(parent, hidden);
                }

                return;
            default:
                throw new SyscallException("mknod", TarEntry.Display(path.Whole), errno, "whiteout");
        }
    }

    private void MakeImplicit(LayerDirectory parent, byte[] name)
    {
        Errno errno = Files.TryMakeDirectory(parent.Handle, name, 0x1c0);
        if (errno != Errno.None)
        {
            throw new SyscallException("mkdir", TarEntry.Display(name), errno);
        }

        _directories[parent.Child(name)] = DirectoryAttributes.Implicit;
    }

    private void ReplaceWhiteoutByDirectory(LayerDirectory parent, byte[] name)
    {
        Errno errno = Files.TryUnlink(parent.Handle, name, isDirectory: false);
        if (errno != Errno.None)
        {
            throw new SyscallException("unlink", TarEntry.Display(name), errno);
        }

        MakeImplicit(parent, name);
        MakeOpaque(parent, name);
    }

    private static void MakeOpaque(LayerDirectory parent, byte[] name)
    {
        using SafeFileHandle directory = Files.TryOpenAt(
            parent.Handle, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", TarEntry.Display(name), errno);
        SetOpaque(directory, TarEntry.Display(name));
    }

    private static void SetOpaque(SafeFileHandle directory, string display)
    {
        Errno errno = Files.TrySetAttribute(directory, Whiteout.OpaqueAttribute, "y"u8);
        if (errno != Errno.None)
        {
            throw new SyscallException(
                "setxattr", display, errno, Whiteout.OpaqueAttribute,
                errno == Errno.EOPNOTSUPP ? "the file system of the data root must support extended attributes" : null);
        }
    }

    private void AddHardLink(EntryPath path, TarEntry entry)
    {
        EntryPath target = EntryPath.Parse(entry.LinkName, "hard link target");
        if (target.IsRoot)
        {
            throw Corrupt($"the hard link '{entry.DisplayName}' has no target");
        }

        if (!TryLink(path, target))
        {
            _deferred.Add(new DeferredLink(path, target));
        }
    }

    /// <summary>False where the layer does not have the target.</summary>
    private bool TryLink(EntryPath path, EntryPath target)
    {
        LayerDirectory? from = _linkTree.Open(target.Parents, target.Whole);
        if (from is null || Files.TryStatAt(from.Handle, target.Name, out Errno errno) is not { } found)
        {
            return false;
        }

        if (found.IsDirectory || Whiteout.Is(found))
        {
            throw Corrupt($"the hard link '{TarEntry.Display(path.Whole)}' has a directory or a deleted file as its target");
        }

        LayerDirectory parent = _tree.Open(path.Parents, path.Whole)!;
        errno = Files.TryLink(from.Handle, target.Name, parent.Handle, path.Name);
        if (errno == Errno.EEXIST)
        {
            FileMetadata? existing = Files.TryStatAt(parent.Handle, path.Name, out _);
            if (existing is { } same && same.Inode == found.Inode)
            {
                return true;
            }

            DirectoryListing.RemoveTree(parent.Handle, path.Name, TarEntry.Display(path.Whole));
            errno = Files.TryLink(from.Handle, target.Name, parent.Handle, path.Name);
            _linkTree.Reset();
        }

        return errno switch
        {
            Errno.None => true,
            Errno.ENOENT => throw Corrupt($"the hard link '{TarEntry.Display(path.Whole)}' replaces a directory that holds its own target"),
            _ => throw new SyscallException("link", TarEntry.Display(path.Whole), errno),
        };
    }
}
