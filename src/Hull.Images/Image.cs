using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>An image of the store as it was when looked up. Immutable but for <see cref="References"/>, read on demand.</summary>
public sealed class Image
{
    private readonly Lazy<StoreNames> _names;
    private ImageConfig? _config;

    internal Image(ImageRecord record, Digest? index, Lazy<StoreNames> names)
    {
        Record = record;
        Index = index;
        ChainIds = [.. record.Layers.Select(layer => layer.ChainId)];
        _names = names;
    }

    /// <summary>The digest of the configuration: docker's image id.</summary>
    public Digest Id => Record.Id;

    public Digest ManifestDigest => Record.Manifest.Digest;

    /// <summary>The digest of the index that the name came with by which the image was found; null where it came alone, and for an image found by
    /// its id.</summary>
    public Digest? Index { get; }

    /// <summary>The configuration without its history; <see cref="ImageStore.ReadConfig"/> gives it whole.</summary>
    public ImageConfig Config => _config ??= Record.Config with
    {
        Rootfs = new ImageRootfs { Type = "layers", DiffIds = [.. Record.Layers.Select(layer => layer.DiffId.ToString())] },
    };

    /// <summary>The layers' directories in <see cref="LayerStore"/>, the bottom one first.</summary>
    public IReadOnlyList<Digest> ChainIds { get; }

    /// <summary>Bytes of the files of all layers, as docker counts them.</summary>
    public long Size => Record.Layers.Sum(layer => layer.UnpackedSize);

    /// <summary>The time in the configuration; the epoch where it has none.</summary>
    public DateTimeOffset Created => Record.Config.Created ?? DateTimeOffset.UnixEpoch;

    /// <summary>Every name of the image, tags and digests; of one that was found through an index, and has none, those of the index. Reads a
    /// directory on first use.</summary>
    public IReadOnlyList<ImageReference> References =>
        _names.Value.Of(Id) is { Count: > 0 } own ? own : Index is { } index ? _names.Value.Through(index) : [];

    /// <summary>Whether no name stands for the image, but it is another platform's of one that has a name.</summary>
    public bool IsSibling => _names.Value.IsSibling(Id);

    /// <summary>Familiar names with a tag: <c>busybox:latest</c>.</summary>
    public IReadOnlyList<string> RepoTags => [.. References.Where(r => r.Tag is not null).Select(r => r.Familiar)];

    /// <summary>Familiar names with a digest: <c>busybox@sha256:…</c>.</summary>
    public IReadOnlyList<string> RepoDigests => [.. References.Where(r => r.Digest is not null).Select(r => r.Familiar)];

    /// <summary>The layers' blobs, the bottom one first.</summary>
    public IReadOnlyList<ImageLayer> Layers => Record.Layers;

    internal ImageRecord Record { get; }
}
