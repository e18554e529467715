using Hull.Images.Unpacking;
using Hull.Linux;

namespace Hull.Images.Diffing;

/// <summary>Writes what a process sees in a stack of directories, without a mount: the stack may be one that a container writes to.</summary>
internal static class MergedTree
{
    /// <param name="layers">The stack, top first.</param>
    /// <param name="adapt">What the archive says of a file, given the layer that has it (the top one 0) and its metadata on disk.</param>
    /// <exception cref="ImageException">Host: a tree deeper than an archive may be.</exception>
    public static void Write(IReadOnlyList<string> layers, TreeArchiver archive, Func<int, FileMetadata, FileMetadata> adapt)
    {
        using MergedDirectory root = MergedDirectory.Open(layers);
        Contents(root, [], 1, archive, adapt);
    }

    private static void Contents(
        MergedDirectory directory, byte[] path, int depth, TreeArchiver archive, Func<int, FileMetadata, FileMetadata> adapt)
    {
        EntryPath.CheckDepth(path, depth);
        foreach (MergedEntry entry in directory.Entries())
        {
            byte[] child = path.Length == 0 ? entry.Name : [.. path, (byte)'/', .. entry.Name];
            archive.Add(entry.Parent, entry.Name, child, adapt(entry.Layer, entry.Metadata));
            if (entry.Metadata.IsDirectory)
            {
                using MergedDirectory inner = directory.Child(entry.Name);
                Contents(inner, child, depth + 1, archive, adapt);
            }
        }
    }
}
