using System.Text;
using Hull.Images.Tar;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Writes the entries of one layer below a staging directory, deletions in overlayfs form. One use, one thread.</summary>
/// <remarks>
/// A regular file costs open, write, utimensat and close, and chown or chmod only where they change something. Directories
/// get owner, mode and time at the end: contents change their times, a set-group-id directory would pass its group on, and
/// one without write permission would refuse its contents. Files are reached by descriptor, never by name again
/// (CVE-2021-32760 was a chmod through a link).
/// </remarks>
internal sealed partial class LayerUnpacker : IDisposable
{
    private const int MaxNotes = 20;
    private const uint SpecialBits = 0xE00;
    private readonly SafeFileHandle _root;
    private readonly ImageStoreOptions _limits;
    private readonly LayerTree _tree;
    private readonly LayerTree _linkTree;
    private readonly uint _umask = Files.ReadCreationMask();
    private readonly bool _privileged = Environment.IsPrivilegedProcess;
    private readonly Dictionary<string, DirectoryAttributes> _directories = [];
    private readonly List<DeferredLink> _deferred = [];
    private readonly List<string> _notes = [];
    private bool _opaqueRoot;
    private int _entries;

    /// <param name="root">The empty directory to fill; the caller keeps owning it.</param>
    public LayerUnpacker(SafeFileHandle root, ImageStoreOptions limits)
    {
        _root = root;
        _limits = limits;
        _tree = new LayerTree(root) { MakeMissing = MakeImplicit, ReplaceWhiteout = ReplaceWhiteoutByDirectory };
        _linkTree = new LayerTree(root);
        _directories[""] = DirectoryAttributes.Implicit;
    }

    /// <summary>Bytes of the regular files made.</summary>
    public long Size { get; private set; }

    /// <summary>What could not be kept, for the user to know: an attribute that the file system does not support.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Unpacks every entry. What depends on the layers below waits for <see cref="Complete"/>.</summary>
    /// <exception cref="ImageException">Corrupt: malformed or hostile.</exception>
    /// <exception cref="SyscallException">The host refused: ENOSPC, EDQUOT, EPERM.</exception>
    public void Unpack(TarReader reader)
    {
        while (reader.MoveNext())
        {
            if (++_entries > _limits.MaxLayerEntries)
            {
                throw Corrupt($"more than {_limits.MaxLayerEntries} entries, which is the limit");
            }

            Add(reader.Current, reader);
        }
    }

    public void Dispose()
    {
        _tree.Dispose();
        _linkTree.Dispose();
    }

    private void Add(TarEntry entry, TarReader reader)
    {
        EntryPath path = EntryPath.Parse(entry.Name, "entry");
        if (path.IsRoot)
        {
            // CVE-2021-29136: a "." that is a link would replace the root itself.
            _directories[""] = entry.Type == TarType.Directory
                ? DirectoryAttributes.Of(entry)
                : throw Corrupt($"the entry '{entry.DisplayName}' stands for the layer's root and is not a directory");
            return;
        }

        if (IsBookkeeping(path))
        {
            return;
        }

        LayerDirectory parent = _tree.Open(path.Parents, path.Whole)
            ?? throw new InvalidOperationException("missing parents are made");
        if (path.Name.AsSpan().StartsWith(Whiteout.Prefix))
        {
            AddWhiteout(parent, path);
            return;
        }

        switch (entry.Type)
        {
            case TarType.Directory:
                AddDirectory(parent, path.Name, entry);
                break;
            case TarType.Regular:
                AddFile(parent, path.Name, entry, reader);
                break;
            case TarType.SymbolicLink:
                AddSymbolicLink(parent, path.Name, entry);
                break;
            case TarType.HardLink:
                AddHardLink(path, entry);
                break;
            default:
                AddNode(parent, path.Name, entry);
                break;
        }
    }

    private void AddDirectory(LayerDirectory parent, byte[] name, TarEntry entry)
    {
        bool opaque = false;
        Errno errno = Files.TryMakeDirectory(parent.Handle, name, 0x1c0);
        if (errno == Errno.EEXIST)
        {
            FileMetadata found = Stat(parent, name, entry);
            if (!found.IsDirectory)
            {
                // Deleted and made anew in one layer: what was below the name must not show through.
                opaque = Whiteout.Is(found);
                Remove(parent, name, entry);
                errno = Files.TryMakeDirectory(parent.Handle, name, 0x1c0);
            }
            else
            {
                errno = Errno.None;
            }
        }

        Check(errno, "mkdir", entry);
        if (opaque)
        {
            MakeOpaque(parent, name);
        }

        _directories[parent.Child(name)] = DirectoryAttributes.Of(entry);
    }

    private void AddFile(LayerDirectory parent, byte[] name, TarEntry entry, TarReader reader)
    {
        const OpenFlags New = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow;
        uint mode = entry.Mode & 0x1FF;
        SafeFileHandle? file = Files.TryOpenAt(parent.Handle, name, New, mode, out Errno errno);
        if (file is null && errno == Errno.EEXIST)
        {
            Remove(parent, name, entry);
            file = Files.TryOpenAt(parent.Handle, name, New, mode, out errno);
        }

        if (file is null)
        {
            throw Failed("open", entry, errno);
        }

        using (file)
        {
            string display = entry.Sparse is null ? WriteContent(file, reader, entry) : WriteSparse(file, reader, entry);
            SetMetadata(file, entry.UserId, entry.GroupId, entry.Mode, entry.Attributes, display);
            Files.SetTimes(file, entry.ModifiedSeconds, entry.ModifiedNanoseconds, display);
        }

        Size += entry.StoredSize;
    }

    private static string WriteContent(SafeFileHandle file, TarReader reader, TarEntry entry)
    {
        while (true)
        {
            ReadOnlySpan<byte> slice = reader.ReadContent(int.MaxValue);
            if (slice.IsEmpty)
            {
                return "";
            }

            Files.Write(file, slice, "");
        }
    }

    private static string WriteSparse(SafeFileHandle file, TarReader reader, TarEntry entry)
    {
        string display = entry.DisplayName;
        foreach (SparsePiece piece in entry.Sparse!)
        {
            long done = 0;
            while (done < piece.Length)
            {
                ReadOnlySpan<byte> slice = reader.ReadContent((int)Math.Min(int.MaxValue, piece.Length - done));
                Files.WriteAt(file, slice, piece.Offset + done, display);
                done += slice.Length;
            }
        }

        Files.SetLength(file, entry.Size, display);
        return display;
    }

    private void AddSymbolicLink(LayerDirectory parent, byte[] name, TarEntry entry)
    {
        Errno errno = Files.TryMakeSymbolicLink(entry.LinkName, parent.Handle, name);
        if (errno == Errno.EEXIST)
        {
            Remove(parent, name, entry);
            errno = Files.TryMakeSymbolicLink(entry.LinkName, parent.Handle, name);
        }

        if (errno is Errno.ENOENT or Errno.EINVAL or Errno.ENAMETOOLONG)
        {
            throw Corrupt($"the symbolic link '{entry.DisplayName}' has a target that none can have ({entry.LinkName.Length} bytes)");
        }

        Check(errno, "symlink", entry);
        SetOwnerOf(parent, name, entry);
        Check(Files.TrySetTimes(parent.Handle, name, entry.ModifiedSeconds, entry.ModifiedNanoseconds), "utimensat", entry);
    }

    private void AddNode(LayerDirectory parent, byte[] name, TarEntry entry)
    {
        FileType type = entry.Type switch
        {
            TarType.CharacterDevice => FileType.CharacterDevice,
            TarType.BlockDevice => FileType.BlockDevice,
            _ => FileType.Fifo,
        };
        Errno errno = Files.TryMakeNode(parent.Handle, name, type, entry.Mode, entry.DeviceMajor, entry.DeviceMinor);
        if (errno == Errno.EEXIST)
        {
            Remove(parent, name, entry);
            errno = Files.TryMakeNode(parent.Handle, name, type, entry.Mode, entry.DeviceMajor, entry.DeviceMinor);
        }

        Check(errno, "mknod", entry);
        SetOwnerOf(parent, name, entry);
        if ((entry.Mode & (_umask | SpecialBits)) != 0)
        {
            // The name was just made in a directory of our own, and is no link.
            Check(Files.TryChangeMode(parent.Handle, name, entry.Mode), "chmod", entry);
        }

        Check(Files.TrySetTimes(parent.Handle, name, entry.ModifiedSeconds, entry.ModifiedNanoseconds), "utimensat", entry);
    }

    /// <summary>Owner, then mode, then attributes: each undoes parts of the later ones if it came after.</summary>
    private void SetMetadata(
        SafeFileHandle file, uint user, uint group, uint mode, List<(string Name, byte[] Value)>? attributes, string display)
    {
        bool owned = _privileged && (user != 0 || group != 0);
        if (owned)
        {
            Files.ChangeOwner(file, user, group, display);
        }

        if ((mode & (_umask | SpecialBits)) != 0)
        {
            Files.ChangeMode(file, mode, display);
        }

        if (attributes is not null)
        {
            SetAttributes(file, attributes, display);
        }
    }

    private void SetOwnerOf(LayerDirectory parent, byte[] name, TarEntry entry)
    {
        if (_privileged && (entry.UserId != 0 || entry.GroupId != 0))
        {
            Check(Files.TryChangeOwner(parent.Handle, name, entry.UserId, entry.GroupId), "chown", entry);
        }
    }

    private void SetAttributes(SafeFileHandle file, List<(string Name, byte[] Value)> attributes, string display)
    {
        foreach ((string name, byte[] value) in attributes)
        {
            if (!LayerAttributes.IsAllowed(name))
            {
                Note($"{display}: the extended attribute {TarEntry.Display(Encoding.UTF8.GetBytes(name))} is not kept");
                continue;
            }

            Errno errno = Files.TrySetAttribute(file, name, value);
            switch (errno)
            {
                case Errno.None:
                    break;
                case Errno.EOPNOTSUPP or Errno.EPERM or Errno.EINVAL:
                    // As docker: the image is usable without it, but the user is told.
                    Note($"{display}: setxattr {name}: {errno.Name()} ({errno.Text()})");
                    break;
                default:
                    throw new SyscallException("setxattr", display, errno, name);
            }
        }
    }

    private void Note(string text)
    {
        if (_notes.Count < MaxNotes)
        {
            _notes.Add(text);
        }
    }

    private static FileMetadata Stat(LayerDirectory parent, byte[] name, TarEntry entry) =>
        Files.TryStatAt(parent.Handle, name, out Errno errno) ?? throw Failed("statx", entry, errno);

    /// <summary>Makes way for an entry of the same name: the last one of an archive counts.</summary>
    private void Remove(LayerDirectory parent, byte[] name, TarEntry entry)
    {
        DirectoryListing.RemoveTree(parent.Handle, name, entry.DisplayName);
        // It may have been one of the directories held open.
        _linkTree.Reset();
    }

    private static void Check(Errno errno, string operation, TarEntry entry)
    {
        if (errno != Errno.None)
        {
            throw Failed(operation, entry, errno);
        }
    }

    private static SyscallException Failed(string operation, TarEntry entry, Errno errno) =>
        new(operation, entry.DisplayName, errno, hint: errno == Errno.EPERM && operation == "mknod" ? "device nodes need root" : null);

    private static ImageException Corrupt(string problem) => new(ImageError.Corrupt, problem);
}

/// <summary>What a directory gets when all its contents are there.</summary>
internal sealed record DirectoryAttributes(
    uint Mode, uint UserId, uint GroupId, long Seconds, uint Nanoseconds, List<(string Name, byte[] Value)>? Attributes, bool IsImplicit)
{
    /// <summary>A parent that no entry describes: it takes after the layer below, or else root's 0755.</summary>
    public static DirectoryAttributes Implicit { get; } = new(0x1ED, 0, 0, 0, 0, null, true);

    public static DirectoryAttributes Of(TarEntry entry) =>
        new(entry.Mode, entry.UserId, entry.GroupId, entry.ModifiedSeconds, entry.ModifiedNanoseconds, entry.Attributes, false);
}

/// <summary>A hard link whose target was not in the layer when it came.</summary>
internal sealed record DeferredLink(EntryPath Path, EntryPath Target);
