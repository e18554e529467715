using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Looks names up in a stack of layers as overlayfs merges them: upper ones first, whiteouts and opaque directories
/// obeyed. Links among the parents are not followed: a layer's tar names files where they are.</summary>
internal sealed class LowerTree : IDisposable
{
    private const ResolveFlags OneStep = ResolveFlags.Beneath | ResolveFlags.NoSymlinks | ResolveFlags.NoCrossDevice;
    private readonly List<SafeFileHandle> _roots = [];

    /// <param name="layers">The layers' directories, top first.</param>
    public LowerTree(IReadOnlyList<string> layers)
    {
        foreach (string layer in layers)
        {
            _roots.Add(Files.Open(layer, OpenFlags.ReadOnly | OpenFlags.Directory));
        }
    }

    /// <summary>The root of the topmost layer; null without layers.</summary>
    public FileMetadata? Root => _roots.Count == 0 ? null : Files.Stat(_roots[0]);

    /// <summary>The entry that a path names in the merged tree; null where there is none.</summary>
    public LowerEntry? Find(EntryPath path)
    {
        List<SafeFileHandle> directories = _roots;
        try
        {
            foreach (byte[] parent in path.Parents)
            {
                List<SafeFileHandle> next = Merge(directories, parent);
                Release(directories);
                directories = next;
            }

            foreach (SafeFileHandle directory in directories)
            {
                if (Files.TryStatAt(directory, path.Name, out Errno errno) is { } found)
                {
                    return Whiteout.Is(found) ? null : new LowerEntry(Duplicate(directory), path.Name, found);
                }

                if (errno != Errno.ENOENT)
                {
                    throw new SyscallException("statx", Tar.TarEntry.Display(path.Whole), errno);
                }
            }

            return null;
        }
        finally
        {
            Release(directories);
        }
    }

    /// <summary>Every name in the roots of the layers, deleted ones included.</summary>
    public IEnumerable<byte[]> RootNames() => _roots.SelectMany(root => DirectoryListing.Read(Duplicate(root))).Select(entry => entry.Name);

    public void Dispose()
    {
        foreach (SafeFileHandle root in _roots)
        {
            root.Dispose();
        }
    }

    /// <summary>The directories that make up a name in the merged tree, top first.</summary>
    private static List<SafeFileHandle> Merge(List<SafeFileHandle> directories, byte[] name)
    {
        List<SafeFileHandle> merged = [];
        foreach (SafeFileHandle directory in directories)
        {
            SafeFileHandle? child = Files.TryOpenBeneath(
                directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, OneStep, out Errno errno);
            if (child is null)
            {
                if (errno == Errno.ENOENT)
                {
                    continue;
                }

                // A file, a link or a whiteout: what lies below it is hidden.
                break;
            }

            merged.Add(child);
            if (Files.TryGetAttribute(child, Whiteout.OpaqueAttribute, out _) is [(byte)'y'])
            {
                break;
            }
        }

        return merged;
    }

    /// <summary>A handle of its own, with its own position for listing.</summary>
    private static SafeFileHandle Duplicate(SafeFileHandle directory) =>
        Files.OpenAt(directory, ".", OpenFlags.ReadOnly | OpenFlags.Directory);

    private void Release(List<SafeFileHandle> directories)
    {
        if (!ReferenceEquals(directories, _roots))
        {
            foreach (SafeFileHandle directory in directories)
            {
                directory.Dispose();
            }
        }
    }
}

/// <summary>An entry of a lower layer.</summary>
internal sealed record LowerEntry(SafeFileHandle Directory, byte[] Name, FileMetadata Metadata) : IDisposable
{
    public void Dispose() => Directory.Dispose();
}
