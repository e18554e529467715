using System.Text;
using Hull.Images.Tar;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>The last steps, which may look at the layers below.</summary>
internal sealed partial class LayerUnpacker
{
    /// <summary>Makes the links to files of lower layers, lets implicit directories take after the lower ones, and
    /// gives all directories their metadata.</summary>
    /// <param name="lower">The layers below, top first.</param>
    public void Complete(IReadOnlyList<string> lower)
    {
        using LowerTree below = new(lower);
        foreach (DeferredLink link in _deferred)
        {
            // A target that came after its link, or that an earlier deferred link has copied up.
            if (!TryLink(link.Path, link.Target))
            {
                CopyUp(link, below);
                if (!TryLink(link.Path, link.Target))
                {
                    throw Missing(link);
                }
            }
        }

        if (_opaqueRoot)
        {
            HideAll(below);
        }

        FinishDirectories(below);
    }

    /// <summary>The file of a lower layer becomes part of this one, as overlayfs itself does before it links.</summary>
    private void CopyUp(DeferredLink link, LowerTree below)
    {
        using LowerEntry source = below.Find(link.Target) ?? throw Missing(link);
        FileMetadata metadata = source.Metadata;
        LayerDirectory parent = _tree.Open(link.Target.Parents, link.Target.Whole)!;
        byte[] name = link.Target.Name;
        string display = TarEntry.Display(link.Target.Whole);
        switch (metadata.Type)
        {
            case FileType.Regular:
                CopyFile(source, parent, name, display);
                return;
            case FileType.SymbolicLink:
                byte[] target = Files.TryReadLink(source.Directory, source.Name, out Errno errno)
                    ?? throw new SyscallException("readlink", display, errno);
                Require(Files.TryMakeSymbolicLink(target, parent.Handle, name), "symlink", display);
                break;
            case FileType.Directory:
                throw Corrupt($"the hard link '{TarEntry.Display(link.Path.Whole)}' has a directory as its target");
            default:
                Require(
                    Files.TryMakeNode(parent.Handle, name, metadata.Type, metadata.Permissions, metadata.RawDeviceMajor, metadata.RawDeviceMinor),
                    "mknod",
                    display);
                Require(Files.TryChangeMode(parent.Handle, name, metadata.Permissions), "chmod", display);
                break;
        }

        if (_privileged)
        {
            Require(Files.TryChangeOwner(parent.Handle, name, metadata.UserId, metadata.GroupId), "chown", display);
        }

        Require(Files.TrySetTimes(parent.Handle, name, metadata.ModifiedSeconds, metadata.ModifiedNanoseconds), "utimensat", display);
    }

    private void CopyFile(LowerEntry source, LayerDirectory parent, byte[] name, string display)
    {
        using SafeFileHandle from = Files.TryOpenAt(source.Directory, source.Name, OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", display, errno);
        using SafeFileHandle to = Files.TryOpenAt(
            parent.Handle, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180, out errno)
            ?? throw new SyscallException("open", display, errno);
        byte[] buffer = new byte[128 * 1024];
        long total = 0;
        while (Files.Read(from, buffer, display) is > 0 and int n)
        {
            Files.Write(to, buffer.AsSpan(0, n), display);
            total += n;
        }

        FileMetadata metadata = source.Metadata;
        if (_privileged)
        {
            Files.ChangeOwner(to, metadata.UserId, metadata.GroupId, display);
        }

        Files.ChangeMode(to, metadata.Permissions, display);
        SetAttributes(to, LayerAttributes.Read(from, display), display);
        Files.SetTimes(to, metadata.ModifiedSeconds, metadata.ModifiedNanoseconds, display);
        Size += total;
    }

    /// <summary>An opaque root hides every name of the layers below one by one.</summary>
    private void HideAll(LowerTree below)
    {
        foreach (byte[] name in below.RootNames())
        {
            Errno errno = Files.TryMakeNode(_root, name, FileType.CharacterDevice, 0, 0, 0);
            if (errno == Errno.EEXIST)
            {
                if (Files.TryStatAt(_root, name, out _) is { IsDirectory: true })
                {
                    MakeOpaque(new LayerDirectory(_root, ""), name);
                }
            }
            else
            {
                Require(errno, "mknod", TarEntry.Display(name));
            }
        }
    }

    private void FinishDirectories(LowerTree below)
    {
        // Contents first, so that a directory that loses its write or search permission is not needed again.
        foreach ((string path, DirectoryAttributes attributes) in _directories.Reverse())
        {
            byte[] whole = Encoding.Latin1.GetBytes(path);
            EntryPath parsed = EntryPath.Parse(whole, "directory");
            SafeFileHandle? owned = null;
            try
            {
                SafeFileHandle? directory = parsed.IsRoot ? _root : owned = OpenDirectory(parsed);
                if (directory is not null)
                {
                    Finish(directory, attributes.IsImplicit ? Inherit(below, parsed) : attributes, TarEntry.Display(whole));
                }
            }
            finally
            {
                owned?.Dispose();
            }
        }
    }

    /// <summary>Null where a later entry replaced the directory.</summary>
    private SafeFileHandle? OpenDirectory(EntryPath path)
    {
        LayerDirectory? parent = _linkTree.Open(path.Parents, path.Whole);
        return parent is null
            ? null
            : Files.TryOpenAt(parent.Handle, path.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out _);
    }

    private static DirectoryAttributes Inherit(LowerTree below, EntryPath path)
    {
        if (path.IsRoot)
        {
            return below.Root is { } root ? Like(root, null) : DirectoryAttributes.Implicit;
        }

        using LowerEntry? lower = below.Find(path);
        if (lower is not { Metadata.IsDirectory: true })
        {
            return DirectoryAttributes.Implicit;
        }

        using SafeFileHandle? handle = Files.TryOpenAt(
            lower.Directory, lower.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out _);
        return Like(lower.Metadata, handle is null ? null : LayerAttributes.Read(handle, TarEntry.Display(path.Whole)));
    }

    private static DirectoryAttributes Like(FileMetadata lower, List<(string Name, byte[] Value)>? attributes) => new(
        lower.Permissions, lower.UserId, lower.GroupId, lower.ModifiedSeconds, lower.ModifiedNanoseconds, attributes, true);

    private void Finish(SafeFileHandle directory, DirectoryAttributes attributes, string display)
    {
        if (_privileged && (attributes.UserId != 0 || attributes.GroupId != 0))
        {
            Files.ChangeOwner(directory, attributes.UserId, attributes.GroupId, display);
        }

        Files.ChangeMode(directory, attributes.Mode, display);
        if (attributes.Attributes is not null)
        {
            SetAttributes(directory, attributes.Attributes, display);
        }

        Files.SetTimes(directory, attributes.Seconds, attributes.Nanoseconds, display);
    }

    private static void Require(Errno errno, string operation, string display)
    {
        if (errno != Errno.None)
        {
            throw new SyscallException(operation, display, errno);
        }
    }

    private static ImageException Missing(DeferredLink link) =>
        Corrupt($"the hard link '{TarEntry.Display(link.Path.Whole)}' has the target '{TarEntry.Display(link.Target.Whole)}', which neither this layer nor one below has");
}
