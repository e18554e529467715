using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Looks paths up in a stack of layers as overlayfs merges them.</summary>
internal sealed class LowerTree : IDisposable
{
    private readonly MergedDirectory _root;

    /// <param name="layers">The layers' directories, top first.</param>
    public LowerTree(IReadOnlyList<string> layers) => _root = MergedDirectory.Open(layers);

    /// <summary>The root of the topmost layer; null without layers.</summary>
    public FileMetadata? Root => _root.Parts.Count == 0 ? null : Files.Stat(_root.Parts[0]);

    /// <summary>The entry that a path names in the merged tree; null where there is none.</summary>
    public LowerEntry? Find(EntryPath path)
    {
        MergedDirectory directory = _root;
        try
        {
            foreach (byte[] parent in path.Parents)
            {
                MergedDirectory next = directory.Child(parent);
                Release(directory);
                directory = next;
            }

            return directory.Find(path.Name, path.Whole) is { } found
                ? new LowerEntry(Files.OpenAt(found.Parent, ".", OpenFlags.ReadOnly | OpenFlags.Directory), found.Name, found.Metadata)
                : null;
        }
        finally
        {
            Release(directory);
        }
    }

    /// <summary>Every name in the roots of the layers, deleted ones included.</summary>
    public IEnumerable<byte[]> RootNames() => _root.AllNames();

    public void Dispose() => _root.Dispose();

    private void Release(MergedDirectory directory)
    {
        if (!ReferenceEquals(directory, _root))
        {
            directory.Dispose();
        }
    }
}

/// <summary>An entry of a lower layer.</summary>
internal sealed record LowerEntry(SafeFileHandle Directory, byte[] Name, FileMetadata Metadata) : IDisposable
{
    public void Dispose() => Directory.Dispose();
}
