using Hull.Images.Tar;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>One directory of a stack of layers as overlayfs merges it: upper ones first, whiteouts and opaque directories obeyed.
/// Links are never followed: a layer names files where they are. Owns its handles; not thread-safe.</summary>
internal sealed class MergedDirectory : IDisposable
{
    private const ResolveFlags OneStep = ResolveFlags.Beneath | ResolveFlags.NoSymlinks | ResolveFlags.NoCrossDevice;
    private readonly List<SafeFileHandle> _parts = [];
    private readonly List<int> _layers = [];

    private MergedDirectory()
    {
    }

    /// <summary>The root of a stack.</summary>
    /// <param name="layers">The layers' directories, top first; none give an empty directory.</param>
    public static MergedDirectory Open(IReadOnlyList<string> layers)
    {
        MergedDirectory root = new();
        foreach (string layer in layers)
        {
            root._layers.Add(root._parts.Count);
            root._parts.Add(Files.Open(layer, OpenFlags.ReadOnly | OpenFlags.Directory));
        }

        return root;
    }

    /// <summary>The directories that make it up, top first; none where no layer has it.</summary>
    public IReadOnlyList<SafeFileHandle> Parts => _parts;

    /// <summary>The entry of that name; null where there is none.</summary>
    /// <param name="path">For messages.</param>
    public MergedEntry? Find(byte[] name, byte[] path)
    {
        for (int i = 0; i < _parts.Count; i++)
        {
            if (Files.TryStatAt(_parts[i], name, out Errno errno) is { } found)
            {
                return Whiteout.Is(found) ? null : new MergedEntry(_parts[i], name, found, _layers[i]);
            }

            if (errno != Errno.ENOENT)
            {
                throw new SyscallException("statx", TarEntry.Display(path), errno);
            }
        }

        return null;
    }

    /// <summary>The directory of that name, without parts where the name is none or missing; the caller disposes it.</summary>
    public MergedDirectory Child(ReadOnlySpan<byte> name)
    {
        MergedDirectory child = new();
        for (int i = 0; i < _parts.Count; i++)
        {
            SafeFileHandle? handle = Files.TryOpenBeneath(
                _parts[i], name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, OneStep, out Errno errno);
            if (handle is null)
            {
                if (errno == Errno.ENOENT)
                {
                    continue;
                }

                // A file, a link or a whiteout: what lies below it is hidden.
                break;
            }

            child._parts.Add(handle);
            child._layers.Add(_layers[i]);
            if (Whiteout.IsOpaque(handle))
            {
                break;
            }
        }

        return child;
    }

    /// <summary>What a process would see in the directory, in the order of the names' bytes.</summary>
    public IReadOnlyList<MergedEntry> Entries()
    {
        SortedDictionary<byte[], MergedEntry?> entries = new(ByteOrder.Instance);
        for (int i = 0; i < _parts.Count; i++)
        {
            SafeFileHandle part = _parts[i];
            foreach (DirectoryEntry entry in NamesOf(part))
            {
                if (entries.ContainsKey(entry.Name))
                {
                    continue;
                }

                if (Files.TryStatAt(part, entry.Name, out Errno errno) is { } found)
                {
                    entries[entry.Name] = Whiteout.Is(found) ? null : new MergedEntry(part, entry.Name, found, _layers[i]);
                }
                else if (errno != Errno.ENOENT)
                {
                    // ENOENT: a container that runs has removed it since it was listed.
                    throw new SyscallException("statx", TarEntry.Display(entry.Name), errno);
                }
            }
        }

        return [.. entries.Values.OfType<MergedEntry>()];
    }

    /// <summary>Every name that a part has, deleted ones included.</summary>
    public IEnumerable<byte[]> AllNames() => _parts.SelectMany(NamesOf).Select(entry => entry.Name);

    public void Dispose()
    {
        foreach (SafeFileHandle part in _parts)
        {
            part.Dispose();
        }
    }

    /// <summary>Read through a handle of its own, with its own position.</summary>
    private static IReadOnlyList<DirectoryEntry> NamesOf(SafeFileHandle part)
    {
        using SafeFileHandle listing = Files.OpenAt(part, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        return DirectoryListing.Read(listing);
    }
}

/// <summary>An entry of a merged directory.</summary>
/// <param name="Parent">The directory that has it; owned by the merged directory.</param>
/// <param name="Layer">Which layer of the stack has it, the top one 0.</param>
internal sealed record MergedEntry(SafeFileHandle Parent, byte[] Name, FileMetadata Metadata, int Layer);

/// <summary>Names in the order of their bytes, whatever the locale.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static ByteOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
