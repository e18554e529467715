using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>Brings what an index leads to into the store: the images that can run unpacked, what else there is (attestations, images for other
/// systems) as blobs. What is there already is not asked for. The caller holds the store's content, and has named the index.</summary>
internal sealed class IndexPull(RegistryClient client, ImageStore store, ImageReference reference, OrderedProgress progress)
{
    /// <param name="content">The index.</param>
    /// <exception cref="RegistryException">A document or download failed for good. What was brought before stays.</exception>
    /// <exception cref="ImageException">A layer is corrupt or does not fit on the disk.</exception>
    public Task RunAsync(byte[] content, CancellationToken cancel) => RunAsync(content, null, 1, cancel);

    private async Task RunAsync(byte[] content, Platform? around, int depth, CancellationToken cancel)
    {
        foreach (Descriptor entry in ImageDocuments.ParseIndex(content, $"index {Digest.Of(content)}").Manifests)
        {
            Descriptor known = entry.Platform is null ? entry with { Platform = around } : entry;
            FetchedManifest document = await DocumentAsync(known, cancel).ConfigureAwait(false);
            if (MediaTypes.IsIndex(document.MediaType))
            {
                if (depth == StoredIndex.MaximumDepth)
                {
                    throw new RegistryException(RegistryError.Corrupt, $"{reference.Familiar}: indexes nested deeper than {depth}");
                }

                store.Blobs.Put(document.Content);
                await RunAsync(document.Content, known.Platform, depth + 1, cancel).ConfigureAwait(false);
                continue;
            }

            ImageManifest manifest = ImageDocuments.ParseManifest(document.Content, $"manifest {document.Digest}");
            progress.Message($"{known.Platform?.ToString() ?? document.Digest.Short}: Pulling from {reference.Path}");
            if (IndexEntry.IsForLinux(known) && IndexEntry.IsImage(manifest))
            {
                await TakeImageAsync(document, manifest, cancel).ConfigureAwait(false);
            }
            else
            {
                await TakeBlobsAsync(document, manifest, cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task<FetchedManifest> DocumentAsync(Descriptor entry, CancellationToken cancel)
    {
        if (store.Blobs.TrySize(entry.Digest) != entry.Size)
        {
            return await ImageResolver.FetchEntryAsync(client, entry, cancel).ConfigureAwait(false);
        }

        byte[] content = store.Blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize);
        return new FetchedManifest(entry.Digest, ManifestMediaType.Determine(entry.MediaType, content, $"manifest {entry.Digest}"), content);
    }

    private async Task TakeImageAsync(FetchedManifest document, ImageManifest manifest, CancellationToken cancel)
    {
        byte[] config = store.Blobs.Contains(manifest.Config.Digest)
            ? store.Blobs.ReadAll(manifest.Config.Digest, ImageDocuments.MaxSize)
            : await client.FetchBlobAsync(manifest.Config, $"config {manifest.Config.Digest}", cancel).ConfigureAwait(false);
        using ImageIngest ingest = store.BeginIngest(document.Content, document.MediaType, config);
        await new LayerPull(client, ingest, store.Blobs, progress).RunAsync(cancel).ConfigureAwait(false);
        ingest.Commit([]);
        store.Origins.Add(reference.Name, ingest.Layers.Select(layer => new LayerBlob(layer.DiffId, layer.Descriptor)));
    }

    /// <summary>The manifest comes last: where it is, so is what it names.</summary>
    private async Task TakeBlobsAsync(FetchedManifest document, ImageManifest manifest, CancellationToken cancel)
    {
        foreach (Descriptor blob in IndexEntry.Needed(manifest))
        {
            if (store.Blobs.TrySize(blob.Digest) == blob.Size)
            {
                Report(blob, TransferPhase.AlreadyExists);
                continue;
            }

            Report(blob, TransferPhase.PullingLayer);
            // The stream blocks, for as long as the registry takes.
            await Task.Factory.StartNew(() => Fetch(blob, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            Report(blob, TransferPhase.Complete);
        }

        store.Blobs.Put(document.Content);
    }

    private void Fetch(Descriptor blob, CancellationToken cancel)
    {
        using BlobStream stream = new(
            client, blob, $"blob {blob.Digest.Short}", _ => { }, wait => progress.Layer(new LayerProgress(blob.Digest.Short, TransferPhase.Retrying, 0, blob.Size) { Wait = wait }), cancel);
        using BlobWriter writer = store.Blobs.Begin();
        try
        {
            stream.CopyTo(writer, 256 * 1024);
            writer.Commit(blob.Digest, store.Options.Sync);
        }
        catch (Exception e) when (LayerApplier.Explain(e, $"blob {blob.Digest.Short}") is { } explained)
        {
            throw explained;
        }
    }

    private void Report(Descriptor blob, TransferPhase phase) => progress.Layer(new LayerProgress(blob.Digest.Short, phase, 0, blob.Size));
}
