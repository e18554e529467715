using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>Brings an index to a repository, byte for byte, and before it all that it leads to, by their digests. One use.</summary>
internal sealed class IndexPush
{
    private readonly ImageStore _store;
    private readonly StoredIndex _index;
    private readonly IReadOnlyList<(IndexEntry Entry, IReadOnlyList<Digest> DiffIds)> _entries;

    /// <exception cref="ImageException">NotFound: a manifest or configuration is gone.</exception>
    public IndexPush(ImageStore store, StoredIndex index)
    {
        _store = store;
        _index = index;
        _entries = [.. index.Entries.Select(entry => (entry, DiffIdsOf(entry)))];
    }

    /// <summary>The index itself, which gets the tag.</summary>
    public IndexDocument Root => _index.Documents[^1];

    public IEnumerable<Digest> DiffIds => _entries.SelectMany(pair => pair.DiffIds);

    /// <exception cref="RegistryException">The registry refused or is unreachable.</exception>
    /// <exception cref="ImageException">Corrupt: a stored blob is damaged.</exception>
    public async Task RunAsync(RegistryClient client, ImageReference target, OrderedProgress progress, CancellationToken cancel)
    {
        foreach ((IndexEntry entry, IReadOnlyList<Digest> diffIds) in _entries)
        {
            // As they are: the index names their digests.
            await ManifestPush.RunAsync(_store, client, target, entry.Manifest!, diffIds, compress: false, progress, cancel).ConfigureAwait(false);
            string mediaType = entry.Descriptor.MediaType ?? entry.Manifest!.MediaType ?? MediaTypes.OciManifest;
            await client.PutManifestAsync(entry.Descriptor.Digest.ToString(), entry.Content!, mediaType, cancel).ConfigureAwait(false);
            progress.Message($"Pushed ref {target.Name}@{entry.Descriptor.Digest}");
        }

        foreach (IndexDocument document in _index.Documents)
        {
            string name = document == Root ? target.Tag! : document.Descriptor.Digest.ToString();
            await client.PutManifestAsync(name, document.Content, document.Descriptor.MediaType!, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>What the layers are known by: those of what is not unpacked have no diffIDs that matter, but are what they are.</summary>
    private IReadOnlyList<Digest> DiffIdsOf(IndexEntry entry)
    {
        if (entry.Manifest is not { } manifest)
        {
            throw new ImageException(
                ImageError.NotFound, $"manifest {entry.Descriptor.Digest} ({entry.Descriptor.Platform}): not in the store (pull the image again)");
        }

        if (!entry.IsRunnable)
        {
            return [.. manifest.Layers.Select(layer => layer.Digest)];
        }

        ImageDocuments.ParseConfig(
            _store.Blobs.ReadAll(manifest.Config.Digest, ImageDocuments.MaxSize), $"config {manifest.Config.Digest}", out IReadOnlyList<Digest> diffIds);
        return diffIds;
    }
}
