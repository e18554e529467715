using Hull.Images.Unpacking;
using Hull.Linux;

namespace Hull.Images.Diffing;

/// <summary>Writes what a process sees in a stack of directories, without a mount: the stack may be one that a container writes to.</summary>
internal static class MergedTree
{
    /// <param name="layers">The stack, top first.</param>
    /// <param name="adapt">What the archive says of the file at a path; null to leave it out with all that is in it.</param>
    /// <exception cref="ImageException">Host: a tree deeper than an archive may be.</exception>
    public static void Write(IReadOnlyList<string> layers, TreeArchiver archive, Func<byte[], MergedEntry, FileMetadata?> adapt)
    {
        using MergedDirectory root = MergedDirectory.Open(layers);
        Contents(root, [], 1, archive, adapt);
    }

    private static void Contents(
        MergedDirectory directory, byte[] path, int depth, TreeArchiver archive, Func<byte[], MergedEntry, FileMetadata?> adapt)
    {
        EntryPath.CheckDepth(path, depth);
        foreach (MergedEntry entry in directory.Entries())
        {
            byte[] child = path.Length == 0 ? entry.Name : [.. path, (byte)'/', .. entry.Name];
            if (adapt(child, entry) is not { } metadata)
            {
                continue;
            }

            archive.Add(entry.Parent, entry.Name, child, metadata);
            if (entry.Metadata.IsDirectory)
            {
                using MergedDirectory inner = directory.Child(entry.Name);
                Contents(inner, child, depth + 1, archive, adapt);
            }
        }
    }
}
