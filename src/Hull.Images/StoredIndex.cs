using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>An index of images for several platforms, read from the store's blobs with the indexes nested in it, and what the store has of its
/// entries. Immutable.</summary>
internal sealed class StoredIndex
{
    /// <summary>An index may hold an index (image-index.md); deeper is a joke at our cost.</summary>
    public const int MaximumDepth = 4;

    private readonly BlobStore _blobs;
    private readonly List<IndexDocument> _documents = [];
    private readonly List<IndexEntry> _entries = [];

    private StoredIndex(BlobStore blobs) => _blobs = blobs;

    /// <summary>The indexes themselves, those within others before them: the order in which a registry takes them.</summary>
    public IReadOnlyList<IndexDocument> Documents => _documents;

    /// <summary>The entries of all the indexes that are no index, in their order.</summary>
    public IReadOnlyList<IndexEntry> Entries => _entries;

    /// <summary>Whether nothing is missing: the index can be pushed as it came.</summary>
    public bool IsComplete => _entries.TrueForAll(entry => entry.IsHere);

    /// <exception cref="ImageException">NotFound or Corrupt: the blob of the index itself.</exception>
    /// <exception cref="ImageSpecException">It is no index.</exception>
    public static StoredIndex Read(BlobStore blobs, Digest digest) => Parse(blobs, blobs.ReadAll(digest, ImageDocuments.MaxSize));

    /// <summary>As <see cref="Read"/>; null where it is missing or damaged, which a check names.</summary>
    public static StoredIndex? TryRead(BlobStore blobs, Digest digest)
    {
        try
        {
            return blobs.Contains(digest) ? Read(blobs, digest) : null;
        }
        catch (Exception e) when (e is ImageException or ImageSpecException)
        {
            return null;
        }
    }

    /// <param name="content">Of an index that need not be in the store: a list made here.</param>
    public static StoredIndex Parse(BlobStore blobs, byte[] content)
    {
        StoredIndex index = new(blobs);
        Digest digest = Digest.Of(content);
        index.Add(digest, content, ImageDocuments.ParseIndex(content, $"index {digest}"), null, 1);
        return index;
    }

    /// <summary>The blobs that no image of the store keeps: the indexes, and what there is of entries that are no image of it.</summary>
    /// <param name="isImage">Whether there is an image of that id.</param>
    public IEnumerable<Digest> Blobs(Func<Digest, bool> isImage)
    {
        // An image may be in the index twice, its layers compressed in two ways: its record names those of one of them.
        IEnumerable<Digest> contents = _entries
            .Where(entry => entry.Manifest is { } manifest && (!entry.IsRunnable || isImage(manifest.Config.Digest)))
            .SelectMany(entry => entry.Manifest!.Layers.Select(layer => layer.Digest).Append(entry.Manifest.Config.Digest).Append(entry.Descriptor.Digest));
        return _documents.Select(document => document.Descriptor.Digest).Concat(contents);
    }

    private void Add(Digest digest, byte[] content, ImageIndex index, Platform? platform, int depth)
    {
        foreach (Descriptor entry in index.Manifests)
        {
            Descriptor known = entry.Platform is null ? entry with { Platform = platform } : entry;
            byte[]? bytes = TryReadDocument(entry);
            if (bytes is not null && depth < MaximumDepth && TryParseIndex(entry, bytes) is { } nested)
            {
                Add(entry.Digest, bytes, nested, known.Platform, depth + 1);
            }
            else
            {
                _entries.Add(IndexEntry.Of(_blobs, known, bytes));
            }
        }

        _documents.Add(new IndexDocument(
            new Descriptor { MediaType = index.MediaType ?? MediaTypes.OciIndex, Digest = digest, Size = content.Length }, content));
    }

    /// <summary>Null where the store has no such blob, or a damaged one.</summary>
    private byte[]? TryReadDocument(Descriptor entry)
    {
        try
        {
            return entry.Size <= ImageDocuments.MaxSize && _blobs.TrySize(entry.Digest) == entry.Size
                ? _blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize)
                : null;
        }
        catch (ImageException)
        {
            return null;
        }
    }

    private static ImageIndex? TryParseIndex(Descriptor entry, byte[] bytes)
    {
        try
        {
            return MediaTypes.IsIndex(entry.MediaType) || (entry.MediaType is null && ImageDocuments.LooksLikeIndex(bytes, "entry"))
                ? ImageDocuments.ParseIndex(bytes, $"index {entry.Digest}")
                : null;
        }
        catch (ImageSpecException)
        {
            // An entry of another kind, which is kept as it is.
            return null;
        }
    }
}

/// <summary>One of the documents of a <see cref="StoredIndex"/>.</summary>
internal sealed record IndexDocument(Descriptor Descriptor, byte[] Content);
