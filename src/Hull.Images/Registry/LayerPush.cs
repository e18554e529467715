using System.Diagnostics;
using System.Security.Cryptography;
using Hull.Images.Codecs;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>Brings the layers of one image to a repository, <see cref="Concurrency"/> at a time: those it has are left, those
/// another repository of the registry has are mounted, and only the rest is sent. The first failure ends the others.</summary>
internal sealed class LayerPush(ImageStore store, RegistryClient client, ImageReference target, OrderedProgress progress)
{
    /// <summary>As docker's max-concurrent-uploads.</summary>
    private const int Concurrency = 5;

    /// <summary>How many repositories are asked for one layer: each costs a round trip.</summary>
    private const int MaximumMounts = 3;

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(50);

    /// <param name="layers">The layers with their descriptors in the manifest, bottom first.</param>
    /// <param name="compress">Whether plain tars are compressed: no registry has the image as it is.</param>
    /// <returns>The layers as the registry has them, in the same order.</returns>
    /// <exception cref="RegistryException">An upload failed for good.</exception>
    /// <exception cref="ImageException">A stored blob is missing or damaged.</exception>
    public async Task<IReadOnlyList<Descriptor>> RunAsync(
        IReadOnlyList<LayerBlob> layers, bool compress, CancellationToken cancel)
    {
        List<LayerBlob> distinct = [.. layers.DistinctBy(layer => layer.Blob.Digest)];
        foreach (LayerBlob layer in distinct)
        {
            progress.Layer(new LayerProgress(layer.DiffId.Short, TransferPhase.Preparing, 0, 0));
        }

        foreach (LayerBlob layer in distinct.Skip(Concurrency))
        {
            progress.Layer(new LayerProgress(layer.DiffId.Short, TransferPhase.Waiting, 0, 0));
        }

        Dictionary<Digest, Descriptor> pushed = [];
        await Parallel.ForEachAsync(
            distinct,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancel },
            async (layer, token) =>
            {
                Descriptor result = await PushAsync(layer.DiffId, layer.Blob, compress, token).ConfigureAwait(false);
                lock (pushed)
                {
                    pushed.Add(layer.Blob.Digest, result);
                }
            }).ConfigureAwait(false);
        store.Origins.Add(
            target.Name,
            distinct.Where(layer => !PushedManifest.IsForeign(layer.Blob)).Select(layer => layer with { Blob = pushed[layer.Blob.Digest] }));
        return [.. layers.Select(layer => pushed[layer.Blob.Digest])];
    }

    private async Task<Descriptor> PushAsync(Digest diffId, Descriptor blob, bool compress, CancellationToken cancel)
    {
        if (PushedManifest.IsForeign(blob))
        {
            Report(diffId, TransferPhase.Skipped, blob.Size);
            return blob;
        }

        string? compressed = compress ? PushedManifest.Compressed(blob.MediaType) : null;
        IReadOnlyList<LayerOrigin> origins =
            [.. store.Origins.Of(diffId).Where(origin => compressed is null ? origin.Blob.Digest == blob.Digest : origin.Blob.MediaType == compressed)];
        Descriptor? known = compressed is null ? blob : origins.Count > 0 ? origins[0].Blob : null;
        OpenUpload? open = null;
        if (known is not null)
        {
            if (await client.HasBlobAsync(known.Digest, cancel).ConfigureAwait(false))
            {
                Report(diffId, TransferPhase.LayerAlreadyExists, known.Size);
                return known;
            }

            foreach (string path in Neighbours(origins, known.Digest))
            {
                open = await client.BeginUploadAsync(known.Digest, path, cancel).ConfigureAwait(false);
                if (open is null)
                {
                    progress.Layer(new LayerProgress(diffId.Short, TransferPhase.Mounted, 0, known.Size) { From = path });
                    return known;
                }
            }
        }

        if (compressed is null)
        {
            if (!store.Blobs.Contains(blob.Digest) && origins.Count > 0)
            {
                throw new ImageException(
                    ImageError.NotFound,
                    $"layer {diffId.Short} is neither in {target.Name} nor here, but in "
                        + string.Join(", ", origins.Select(origin => origin.Repository).Distinct().Take(MaximumMounts))
                        + ", from where it cannot be mounted (pull that image, with its --platform, and push again)");
            }

            await UploadAsync(diffId, store.Blobs.Source(blob.Digest), open, cancel).ConfigureAwait(false);
            return blob;
        }

        using BlobWriter gzip = store.Blobs.Begin();
        using EarlyUpload early = new(client, gzip, blob.Digest, $"layer {diffId.Short}", Sending(diffId, blob.Size));
        // A thread of its own: it blocks, and the pool's are to compress and to send.
        Task compression = Task.Factory.StartNew(
            () => Compress(blob, gzip, early, cancel), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task<OpenUpload?> sending = early.RunAsync(open, cancel);
        // Both, however they end: they work on the staging file.
        await Task.WhenAll(compression, sending).ConfigureAwait(false);
        open = await sending.ConfigureAwait(false);
        UploadSource made = new(gzip.Finish(), gzip.Length, gzip.OpenRead);
        // Where most of it has gone already, the rest costs no more than the question.
        if (open is null && await client.HasBlobAsync(made.Digest, cancel).ConfigureAwait(false))
        {
            Report(diffId, TransferPhase.LayerAlreadyExists, made.Size);
        }
        else
        {
            await UploadAsync(diffId, made, open, cancel).ConfigureAwait(false);
        }

        return new Descriptor { MediaType = compressed, Digest = made.Digest, Size = made.Size };
    }

    /// <summary>Other repositories of the registry that may have the blob.</summary>
    private IEnumerable<string> Neighbours(IReadOnlyList<LayerOrigin> origins, Digest blob) =>
        origins.Where(origin => origin.Blob.Digest == blob).Select(origin => ImagePusher.PathWithin(origin.Repository, target))
            .OfType<string>().Take(MaximumMounts);

    private async Task UploadAsync(Digest diffId, UploadSource source, OpenUpload? open, CancellationToken cancel)
    {
        Report(diffId, TransferPhase.Pushing, source.Size);
        BlobUpload upload = new(
            client,
            source,
            $"layer {diffId.Short}",
            Sending(diffId, source.Size),
            wait => progress.Layer(new LayerProgress(diffId.Short, TransferPhase.Retrying, 0, source.Size) { Wait = wait }));
        await upload.RunAsync(open, cancel).ConfigureAwait(false);
        Report(diffId, TransferPhase.Pushed, source.Size);
    }

    /// <summary>Tells how much of a layer is sent, not too often.</summary>
    private Action<long> Sending(Digest diffId, long total)
    {
        long reported = 0;
        return sent =>
        {
            long now = Stopwatch.GetTimestamp();
            if (sent == total || reported == 0 || Stopwatch.GetElapsedTime(reported, now) >= ReportInterval)
            {
                reported = now;
                progress.Layer(new LayerProgress(diffId.Short, TransferPhase.Pushing, sent, total));
            }
        };
    }

    /// <summary>Writes the blob as gzip. The same bytes each time.</summary>
    /// <exception cref="ImageException">Corrupt: the stored blob was changed.</exception>
    private void Compress(Descriptor blob, BlobWriter gzip, EarlyUpload early, CancellationToken cancel)
    {
        try
        {
            using FileStream stored = store.Blobs.OpenRead(blob.Digest);
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            ParallelGzip.Compress(stored, gzip, piece => hash.AppendData(piece.Span), () => early.Grow(gzip.Length), cancel);
            Digest actual = Digest.FromHash(hash.GetHashAndReset());
            if (actual != blob.Digest)
            {
                throw new ImageException(
                    ImageError.Corrupt, $"blob {blob.Digest}: the stored file has the digest {actual} (remove the image and load it again)");
            }
        }
        finally
        {
            early.End();
        }
    }

    private void Report(Digest diffId, TransferPhase phase, long total) => progress.Layer(new LayerProgress(diffId.Short, phase, 0, total));
}
