using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>One image on its way into the store: a pull, a load, an import, a build. Layers may be applied from several threads and in
/// any order; each enters the store as soon as those below it have.</summary>
/// <remarks>While it lives, no process collects garbage: its finished layers belong to no image yet.</remarks>
public sealed class ImageIngest : IDisposable
{
    private readonly ImageStore _store;
    private readonly byte[] _manifestBytes;
    private readonly byte[] _configBytes;
    private readonly string? _mediaType;
    private readonly FileLock _use;
    private readonly StagedLayer?[] _staged;
    private readonly Lock _gate = new();
    private readonly List<string> _notes = [];
    private int _next;

    internal ImageIngest(ImageStore store, byte[] manifest, string? mediaType, byte[] config)
    {
        _store = store;
        _manifestBytes = manifest;
        _configBytes = config;
        ManifestDigest = Digest.Of(manifest);
        Manifest = ImageDocuments.ParseManifest(manifest, $"manifest {ManifestDigest}");
        _mediaType = Manifest.MediaType ?? mediaType;
        Id = Digest.Of(config);
        Config = ImageDocuments.ParseConfig(config, $"config {Id}", out IReadOnlyList<Digest> diffIds);
        if (Manifest.Config.Digest != Id)
        {
            throw new ImageException(ImageError.Corrupt, $"manifest {ManifestDigest}: names the configuration {Manifest.Config.Digest}, received {Id}");
        }

        if (Manifest.Layers.Count != diffIds.Count)
        {
            throw new ImageException(
                ImageError.Corrupt, $"manifest {ManifestDigest}: {Manifest.Layers.Count} layers, but the configuration has {diffIds.Count} diffIDs");
        }

        ChainIds = ChainId.Of(diffIds);
        _staged = new StagedLayer?[diffIds.Count];
        store.Layout.Create();
        _use = FileLock.Acquire(store.Layout.UseLockFile, shared: true);
        store.Sweep();
        Layers = [.. Manifest.Layers.Select((descriptor, i) => new IngestLayer(i, descriptor, diffIds[i], ChainIds[i], StateOf(descriptor, ChainIds[i])))];
        Advance();
    }

    public Digest Id { get; }

    public Digest ManifestDigest { get; }

    public ImageManifest Manifest { get; }

    public ImageConfig Config { get; }

    public IReadOnlyList<Digest> ChainIds { get; }

    /// <summary>The layers with what the store had of each at the beginning, bottom first.</summary>
    public IReadOnlyList<IngestLayer> Layers { get; }

    /// <summary>What could not be kept of the layers, such as an extended attribute.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Verifies, unpacks and keeps one layer from its stored form. Thread-safe for different layers.</summary>
    /// <param name="index">Of <see cref="Layers"/>.</param>
    /// <param name="source">Read to its end on a thread of the pipe; the caller owns it.</param>
    /// <exception cref="ImageException">Corrupt or Host; nothing of the layer is kept.</exception>
    public void Apply(int index, Stream source, CancellationToken cancel = default) =>
        Accept(index, Stage(index, source, _store.Blobs.Begin(), cancel));

    /// <summary>As <see cref="Apply"/>, into the file of a download, which is taken over. The blob is in the store at the end, whether
    /// or not the layers below are.</summary>
    /// <exception cref="ImageException">Corrupt or Host; nothing of the layer is kept, nor of the download.</exception>
    internal void ApplyDownload(int index, Stream source, BlobWriter download, CancellationToken cancel)
    {
        try
        {
            StagedLayer? staged = Stage(index, source, download, cancel);
            staged?.CommitBlob();
            Accept(index, staged);
        }
        catch (ImageException)
        {
            _store.Blobs.RemovePart(Layers[index].Descriptor.Digest);
            throw;
        }
    }

    /// <summary>Unpacks a layer whose blob the store has.</summary>
    /// <exception cref="ImageException">As <see cref="Apply"/>.</exception>
    public void ApplyStored(int index, CancellationToken cancel = default)
    {
        IngestLayer layer = Layers[index];
        if (_store.Layers.Contains(layer.ChainId))
        {
            // By another process, since we looked: layers staged above it may have waited for it.
            Accept(index, null);
            return;
        }

        using FileStream blob = _store.Blobs.OpenRead(layer.Descriptor.Digest);
        Accept(index, _store.Applier.Stage(blob, layer.Descriptor.Digest, layer.DiffId, null, cancel));
    }

    /// <summary>Unpacks a layer whose blob is staged; takes the blob over.</summary>
    internal void ApplyBlob(int index, BlobWriter blob, CancellationToken cancel)
    {
        IngestLayer layer = Layers[index];
        if (blob.Finish() != layer.Descriptor.Digest)
        {
            using (blob)
            {
                throw new ImageException(ImageError.Corrupt, $"layer {layer.DiffId}: digest mismatch: expected {layer.Descriptor.Digest}, the archive's file has {blob.Finish()}");
            }
        }

        if (_store.Layers.Contains(layer.ChainId))
        {
            using (blob)
            {
                blob.Commit(sync: _store.Options.Sync);
            }

            return;
        }

        Accept(index, _store.Applier.Stage(blob, layer.DiffId, cancel));
    }

    /// <summary>Makes the image part of the store and gives it names, taking them from other images.</summary>
    /// <param name="indexes">The indexes that the names came with, the outermost first; they are kept byte for byte.</param>
    /// <returns>The image.</returns>
    /// <exception cref="InvalidOperationException">A layer is not there yet.</exception>
    public Image Commit(IEnumerable<ImageReference> references, IReadOnlyList<byte[]>? indexes = null)
    {
        List<ImageLayer> layers = [];
        foreach (IngestLayer layer in Layers)
        {
            if (!_store.Layers.Contains(layer.ChainId) || !_store.Blobs.Contains(layer.Descriptor.Digest))
            {
                throw new InvalidOperationException($"layer {layer.DiffId} was not applied");
            }

            layers.Add(new ImageLayer
            {
                Blob = Plain(layer.Descriptor),
                DiffId = layer.DiffId,
                ChainId = layer.ChainId,
                UnpackedSize = _store.Layers.Read(layer.ChainId).Size,
            });
        }

        _store.Blobs.Put(_configBytes);
        _store.Blobs.Put(_manifestBytes);
        Digest? root = null;
        foreach (byte[] index in indexes ?? [])
        {
            Digest digest = _store.Blobs.Put(index);
            root ??= digest;
        }

        _store.SyncContentNames();
        ImageRecord record = new()
        {
            Id = Id,
            Manifest = new Descriptor { MediaType = _mediaType ?? MediaTypes.OciManifest, Digest = ManifestDigest, Size = _manifestBytes.Length },
            ConfigSize = _configBytes.Length,
            Layers = layers,
            Config = Config with { History = null, Rootfs = null },
        };
        return _store.Register(record, references, root);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (StagedLayer? staged in _staged)
            {
                staged?.Dispose();
            }
        }

        _use.Dispose();
    }

    /// <summary>Takes the stored form of a layer in.</summary>
    /// <returns>The layer, or null where it was unpacked before, from a blob with another compression perhaps: then only this
    /// blob was wanted.</returns>
    private StagedLayer? Stage(int index, Stream source, BlobWriter keep, CancellationToken cancel)
    {
        IngestLayer layer = Layers[index];
        if (_store.Layers.Contains(layer.ChainId))
        {
            using (keep)
            {
                source.CopyTo(keep, 256 * 1024);
                keep.Commit(layer.Descriptor.Digest, _store.Options.Sync);
            }

            return null;
        }

        return _store.Applier.Stage(source, layer.Descriptor.Digest, layer.DiffId, keep, cancel);
    }

    /// <param name="staged">Null where the layer is in the store.</param>
    private void Accept(int index, StagedLayer? staged)
    {
        lock (_gate)
        {
            _staged[index] = staged;
            Advance();
        }
    }

    /// <summary>Commits staged layers as far as there is no gap below.</summary>
    private void Advance()
    {
        while (_next < _staged.Length)
        {
            if (_staged[_next] is { } staged)
            {
                staged.Commit([.. ChainIds.Take(_next)]);
                _notes.AddRange(staged.Notes);
                staged.Dispose();
                _staged[_next] = null;
            }
            else if (!_store.Layers.Contains(ChainIds[_next]))
            {
                return;
            }

            _next++;
        }
    }

    /// <summary>What the record keeps of a descriptor; the manifest has the rest.</summary>
    private static Descriptor Plain(Descriptor descriptor) =>
        new() { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size };

    private LayerState StateOf(Descriptor descriptor, Digest chainId)
    {
        // A blob of another length is damage of a power cut or a lie of the descriptor: it is fetched again and verified.
        bool blob = _store.Blobs.TrySize(descriptor.Digest) == descriptor.Size;
        return !blob ? LayerState.Missing : _store.Layers.Contains(chainId) ? LayerState.Present : LayerState.BlobOnly;
    }
}

/// <summary>A layer of an image being taken in.</summary>
/// <param name="Index">From the bottom, 0 first.</param>
/// <param name="Descriptor">The stored form.</param>
public sealed record IngestLayer(int Index, Descriptor Descriptor, Digest DiffId, Digest ChainId, LayerState State);

/// <summary>What the store has of a layer.</summary>
public enum LayerState
{
    /// <summary>The blob is to be fetched: <see cref="ImageIngest.Apply"/>.</summary>
    Missing,

    /// <summary>The blob is here, not unpacked on this stack: <see cref="ImageIngest.ApplyStored"/>.</summary>
    BlobOnly,

    /// <summary>Nothing to do.</summary>
    Present,
}
