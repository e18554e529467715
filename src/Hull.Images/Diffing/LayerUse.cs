using Hull.Images.Unpacking;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Diffing;

/// <summary>What a layer brings, and how much of it the layers above hide.</summary>
/// <param name="Files">Names that are no directories, deletions left out.</param>
/// <param name="Bytes">Of its regular files, one of several names once for each.</param>
/// <param name="HiddenFiles">Of these, those that a layer above replaces or deletes.</param>
/// <param name="HiddenBytes">Of these: space that every copy of the image takes for nothing.</param>
public sealed record LayerUse(ImageLayer Layer, int Files, long Bytes, int HiddenFiles, long HiddenBytes);

/// <summary>Lays the layers of an image over each other and counts. One use.</summary>
internal sealed class LayerCount
{
    private readonly Node _root = new();
    private readonly List<Counts> _counts = [];

    /// <summary>The layers of an image, bottom first.</summary>
    /// <param name="directoryOf">Where a layer's files are.</param>
    /// <exception cref="SyscallException">A layer cannot be read.</exception>
    public static IReadOnlyList<LayerUse> Of(IReadOnlyList<ImageLayer> layers, Func<ImageLayer, string> directoryOf)
    {
        LayerCount count = new();
        foreach (ImageLayer layer in layers)
        {
            count._counts.Add(new Counts());
            using SafeFileHandle directory = Files.Open(directoryOf(layer), OpenFlags.ReadOnly | OpenFlags.Directory);
            count.Add(directory, count._root, 1);
        }

        return [.. layers.Zip(count._counts, (layer, counts) => new LayerUse(layer, counts.Files, counts.Bytes, counts.HiddenFiles, counts.HiddenBytes))];
    }

    private void Add(SafeFileHandle directory, Node node, int depth)
    {
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory))
        {
            if (Files.TryStatAt(directory, entry.Name, out Errno errno) is not { } found)
            {
                throw new SyscallException("statx", Tar.TarEntry.Display(entry.Name), errno);
            }

            string name = System.Text.Encoding.Latin1.GetString(entry.Name);
            if (found.IsDirectory)
            {
                AddDirectory(directory, entry.Name, node, name, depth);
                continue;
            }

            Hide(node, name);
            if (!Whiteout.Is(found))
            {
                long size = found.IsRegular ? (long)found.Size : 0;
                Counts mine = _counts[^1];
                mine.Files++;
                mine.Bytes += size;
                node.Children[name] = new Node { Layer = _counts.Count - 1, Size = size };
            }
        }
    }

    private void AddDirectory(SafeFileHandle parent, byte[] entry, Node node, string name, int depth)
    {
        EntryPath.CheckDepth(entry, depth);
        using SafeFileHandle inner = Files.TryOpenAt(parent, entry, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", Tar.TarEntry.Display(entry), errno);
        if (Whiteout.IsOpaque(inner) || (node.Children.TryGetValue(name, out Node? old) && old.Layer is not null))
        {
            Hide(node, name);
        }

        if (!node.Children.TryGetValue(name, out Node? child))
        {
            node.Children[name] = child = new Node();
        }

        Add(inner, child, depth + 1);
    }

    /// <summary>Takes a name of the layers below out of sight, with all below it.</summary>
    private void Hide(Node node, string name)
    {
        if (node.Children.Remove(name, out Node? hidden))
        {
            Count(hidden);
        }
    }

    private void Count(Node node)
    {
        if (node.Layer is { } layer)
        {
            _counts[layer].HiddenFiles++;
            _counts[layer].HiddenBytes += node.Size;
        }

        foreach (Node child in node.Children.Values)
        {
            Count(child);
        }
    }

    /// <summary>A name in sight.</summary>
    private sealed class Node
    {
        /// <summary>Which layer brought the file; null for a directory.</summary>
        public int? Layer { get; init; }

        public long Size { get; init; }

        public Dictionary<string, Node> Children { get; } = [];
    }

    private sealed class Counts
    {
        public int Files { get; set; }

        public long Bytes { get; set; }

        public int HiddenFiles { get; set; }

        public long HiddenBytes { get; set; }
    }
}
