using System.IO.Compression;
using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Diffing;

/// <summary>A layer made on this machine: its tar, compressed, as a blob that is not in the store yet. Disposing one that was not committed
/// removes it.</summary>
/// <remarks>Compressed, because blobs are pushed and saved as they are stored. gzip's fastest level: layers are made while somebody waits.</remarks>
public sealed class MadeLayer : IDisposable
{
    private MadeLayer(BlobWriter blob, Digest diffId, bool isEmpty, bool isWhole) =>
        (Blob, DiffId, IsEmpty, IsWhole) = (blob, diffId, isEmpty, isWhole);

    /// <summary>The hash of the uncompressed tar: the same for equal contents.</summary>
    public Digest DiffId { get; }

    /// <summary>There is nothing in it.</summary>
    public bool IsEmpty { get; }

    /// <summary>It holds what the layers below hold too, and takes their place.</summary>
    public bool IsWhole { get; }

    internal BlobWriter Blob { get; }

    /// <summary>What a container has changed of its image.</summary>
    /// <param name="lower">The layers' directories, top first.</param>
    internal static MadeLayer OfChanges(BlobStore blobs, UpperDirectory upper, IReadOnlyList<string> lower) => Make(blobs, isWhole: false, archive =>
    {
        using (SafeFileHandle root = Files.Open(upper.Path, OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            FileMetadata metadata = upper.InContainer(Files.Stat(root, upper.Path));
            if ((metadata.Permissions, metadata.UserId, metadata.GroupId) != (UpperDirectory.RootMode, 0, 0))
            {
                archive.AddRoot(root, metadata);
            }
        }

        UpperChanges.Walk(upper, lower, change => Write(archive, change));
    });

    /// <summary>All that a container sees; of what is no change of its own, what the layers below have.</summary>
    /// <param name="lower">The layers' directories, top first.</param>
    internal static MadeLayer OfContainer(BlobStore blobs, UpperDirectory upper, IReadOnlyList<string> lower)
    {
        SortedDictionary<byte[], FileMetadata?> unchanged = new(ByteOrder.Instance);
        UpperChanges.Walk(upper, lower, static _ => { }, (path, below) => unchanged.Add(path, below?.Metadata));
        return OfTree(blobs, [upper.Path, .. lower], Adapt);

        FileMetadata? Adapt(byte[] path, MergedEntry entry) =>
            entry.Layer == 0 && unchanged.TryGetValue(path, out FileMetadata? below) ? below : upper.InContainer(entry);
    }

    /// <summary>All that a stack of directories holds.</summary>
    /// <param name="layers">Top first, at least one.</param>
    internal static MadeLayer OfTree(BlobStore blobs, IReadOnlyList<string> layers) => OfTree(blobs, layers, static (_, entry) => entry.Metadata);

    public void Dispose() => Blob.Dispose();

    private static MadeLayer OfTree(BlobStore blobs, IReadOnlyList<string> layers, Func<byte[], MergedEntry, FileMetadata?> adapt) =>
        Make(blobs, isWhole: true, archive =>
        {
            using (SafeFileHandle root = Files.Open(layers[0], OpenFlags.ReadOnly | OpenFlags.Directory))
            {
                MergedEntry entry = new(root, "."u8.ToArray(), Files.Stat(root, layers[0]), Layer: 0);
                if (adapt([], entry) is { } metadata)
                {
                    archive.AddRoot(root, metadata);
                }
            }

            MergedTree.Write(layers, archive, adapt);
        });

    private static void Write(TreeArchiver archive, UpperChange change)
    {
        if (change.Kind == ChangeKind.Deleted)
        {
            archive.AddWhiteout(change.Path.AsSpan(0, change.Path.Length - change.Name.Length), change.Name);
            return;
        }

        archive.Add(change.Parent, change.Name, change.Path, change.Metadata);
        if (change.IsOpaque)
        {
            archive.AddOpaque([.. change.Path, (byte)'/']);
        }
    }

    private static MadeLayer Make(BlobStore blobs, bool isWhole, Action<TreeArchiver> fill)
    {
        BlobWriter blob = blobs.Begin();
        try
        {
            using HashingStream hashed = new(new GZipStream(blob, CompressionLevel.Fastest, leaveOpen: true));
            TarWriter tar = new(hashed);
            TreeArchiver archive = new(tar, isLayer: true);
            fill(archive);
            tar.Finish();
            return new MadeLayer(blob, hashed.Finish(), archive.IsEmpty, isWhole);
        }
        catch
        {
            blob.Dispose();
            throw;
        }
    }
}
