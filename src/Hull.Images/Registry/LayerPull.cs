using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>Brings the missing layers of one image into the store, <see cref="Concurrency"/> at a time, the bottom ones
/// first. The first failure ends the others.</summary>
internal sealed class LayerPull(RegistryClient client, ImageIngest ingest, BlobStore blobs, OrderedProgress progress)
{
    /// <summary>As docker's max-concurrent-downloads.</summary>
    private const int Concurrency = 3;

    /// <summary>How often a blob that another process fetches is looked after.</summary>
    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(50);

    private readonly Queue<IngestLayer> _waiting = new();
    private readonly Lock _gate = new();
    private ExceptionDispatchInfo? _failure;

    /// <exception cref="RegistryException">A download failed for good.</exception>
    /// <exception cref="ImageException">A layer is corrupt or does not fit on the disk.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        List<IngestLayer> repeated = [];
        HashSet<Digest> fetched = [];
        foreach (IngestLayer layer in ingest.Layers)
        {
            if (layer.State == LayerState.Present)
            {
                Report(layer, TransferPhase.AlreadyExists);
                continue;
            }

            Report(layer, TransferPhase.PullingLayer);
            // The same blob twice in a stack (an empty layer, often) is fetched once.
            if (fetched.Add(layer.Descriptor.Digest))
            {
                _waiting.Enqueue(layer);
            }
            else
            {
                repeated.Add(layer);
            }
        }

        foreach (IngestLayer layer in _waiting.Skip(Concurrency))
        {
            Report(layer, TransferPhase.Waiting);
        }

        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] workers = [.. Enumerable.Range(0, Math.Min(Concurrency, _waiting.Count)).Select(_ => Task.Factory.StartNew(
            () => Work(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        await Task.WhenAll(workers).ConfigureAwait(false);
        _failure?.Throw();
        cancel.ThrowIfCancellationRequested();

        // In order: when its turn comes, all layers below are in the store, its first occurrence among them.
        foreach (IngestLayer layer in repeated)
        {
            ingest.ApplyStored(layer.Index, cancel);
            Report(layer, TransferPhase.Complete);
        }
    }

    private void Work(CancellationTokenSource stop)
    {
        while (!stop.IsCancellationRequested && Next() is { } layer)
        {
            try
            {
                Bring(layer, stop.Token);
            }
#pragma warning disable CA1031 // The first failure of any kind is thrown by RunAsync; the others follow from it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                lock (_gate)
                {
                    _failure ??= ExceptionDispatchInfo.Capture(e);
                }

                stop.Cancel();
                return;
            }
        }
    }

    private IngestLayer? Next()
    {
        lock (_gate)
        {
            return _waiting.TryDequeue(out IngestLayer? layer) ? layer : null;
        }
    }

    private void Bring(IngestLayer layer, CancellationToken cancel)
    {
        if (layer.State == LayerState.BlobOnly)
        {
            Report(layer, TransferPhase.Extracting);
            ingest.ApplyStored(layer.Index, cancel);
        }
        else
        {
            Fetch(layer, cancel);
        }

        Report(layer, TransferPhase.Complete);
    }

    /// <summary>Downloads a blob, or waits for the process that does.</summary>
    private void Fetch(IngestLayer layer, CancellationToken cancel)
    {
        while (true)
        {
            BlobWriter? download = WaitForTurn(layer, cancel);
            if (download is null)
            {
                Report(layer, TransferPhase.AlreadyExists);
                ingest.ApplyStored(layer.Index, cancel);
                return;
            }

            bool resumed = download.Begun > 0;
            try
            {
                Download(layer, download, cancel);
                Report(layer, TransferPhase.Downloaded);
                return;
            }
            catch (ImageException e) when (resumed && e.Kind == ImageError.Corrupt)
            {
                // What a killed process left may have been damaged; it is removed, and the next round begins at the start.
                Report(layer, TransferPhase.PullingLayer);
            }
        }
    }

    /// <returns>The file to download into; null where the blob is in the store by now.</returns>
    private BlobWriter? WaitForTurn(IngestLayer layer, CancellationToken cancel)
    {
        for (bool told = false; ; told = true)
        {
            BlobWriter? download = blobs.TryDownload(layer.Descriptor);
            if (blobs.TrySize(layer.Descriptor.Digest) == layer.Descriptor.Size)
            {
                download?.Dispose();
                return null;
            }

            if (download is not null)
            {
                return download;
            }

            if (!told)
            {
                Report(layer, TransferPhase.Waiting);
            }

            cancel.WaitHandle.WaitOne(TurnInterval);
            cancel.ThrowIfCancellationRequested();
        }
    }

    private void Download(IngestLayer layer, BlobWriter download, CancellationToken cancel)
    {
        long total = layer.Descriptor.Size;
        long reported = 0;
        Report(layer, TransferPhase.Downloading, download.Begun, total);
        using Stream begun = download.OpenBegun();
        using BlobStream rest = new(
            client,
            layer.Descriptor,
            $"layer {layer.Descriptor.Digest.Short}",
            current =>
            {
                long now = Stopwatch.GetTimestamp();
                if (current == total)
                {
                    Report(layer, TransferPhase.Downloading, current, total);
                    Report(layer, TransferPhase.Verifying);
                }
                else if (reported == 0 || Stopwatch.GetElapsedTime(reported, now) >= ReportInterval)
                {
                    reported = now;
                    Report(layer, TransferPhase.Downloading, current, total);
                }
            },
            wait => progress.Layer(new LayerProgress(layer.Descriptor.Digest.Short, TransferPhase.Retrying, 0, total) { Wait = wait }),
            cancel,
            download.Begun);
        using ResumedStream stream = new(begun, rest);
        ingest.ApplyDownload(layer.Index, stream, download, cancel);
    }

    private void Report(IngestLayer layer, TransferPhase phase, long current = 0, long? total = null) =>
        progress.Layer(new LayerProgress(layer.Descriptor.Digest.Short, phase, current, total ?? layer.Descriptor.Size));
}
