using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Images;

/// <summary>Unpacks layers into staging directories. Thread-safe: several layers at once, of one image or of several.</summary>
/// <remarks>A layer is unpacked by itself, its deletions as overlayfs whiteouts, so it need not wait for the layers below;
/// only <see cref="StagedLayer.Commit"/> goes bottom up.</remarks>
public sealed class LayerApplier
{
    private readonly ImageStore _store;

    internal LayerApplier(ImageStore store) => _store = store;

    /// <summary>Decompresses, hashes and unpacks in one pass over the stream.</summary>
    /// <param name="source">The stored form of the layer, compressed or not (told by its first bytes). Read to its end; the caller owns it.</param>
    /// <param name="digest">What the stored form must hash to; null where the caller has verified it.</param>
    /// <param name="diffId">What the tar must hash to; null accepts any.</param>
    /// <param name="keep">Where the stored form is kept; the staged layer owns it from here on. Null keeps nothing.</param>
    /// <exception cref="ImageException">Corrupt: malformed, hostile, beyond a limit, or another digest. Host: a codec or disk space is missing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public StagedLayer Stage(Stream source, Digest? digest, Digest? diffId, BlobWriter? keep, CancellationToken cancel = default) =>
        Stage(digest, diffId, keep, (limits, token) => new LayerPipe(source, keep, digest is not null, limits, token), cancel);

    /// <summary>Unpacks a blob that is staged already, which the staged layer then owns.</summary>
    internal StagedLayer Stage(BlobWriter blob, Digest diffId, CancellationToken cancel)
    {
        Stream source = blob.OpenRead();
        Digest known = blob.Finish();
        return Stage(known, diffId, blob, (limits, token) => new LayerPipe(source, null, false, limits, token, known), cancel);
    }

    private StagedLayer Stage(
        Digest? digest, Digest? diffId, BlobWriter? keep, Func<ImageStoreOptions, CancellationToken, LayerPipe> open, CancellationToken cancel)
    {
        string what = (diffId ?? digest) is { } known ? $"layer {known}" : "the archive";
        StagedLayer staged = new(_store, keep);
        try
        {
            using LayerPipe pipe = open(_store.Options, cancel);
            staged.Unpacker.Unpack(new TarReader(pipe));
            (Digest? stored, Digest actual) = pipe.Finish();
            if (digest is not null && stored != digest)
            {
                throw new ImageException(ImageError.Corrupt, $"digest mismatch: expected {digest}, received {stored}");
            }

            if (diffId is not null && actual != diffId)
            {
                throw new ImageException(ImageError.Corrupt, $"diffID mismatch: the configuration says {diffId}, the uncompressed layer has {actual}");
            }

            staged.Unpacked(actual, stored, pipe.TarBytes);
            return staged;
        }
        catch (Exception e) when (Explain(e, what) is { } explained)
        {
            staged.Dispose();
            throw explained;
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>The error with the layer's name and advice; null for one that already says all.</summary>
    internal static ImageException? Explain(Exception e, string what) => e switch
    {
        ImageException image => new ImageException(image.Kind, $"{what}: {image.Message}", e),
        SyscallException { Errno: Errno.ENOSPC } => new ImageException(
            ImageError.Host, $"{what}: no space left on device (free space below the data root, or choose another with --data-root); nothing of the layer was kept", e),
        SyscallException { Errno: Errno.EDQUOT } => new ImageException(ImageError.Host, $"{what}: disk quota exceeded; nothing of the layer was kept", e),
        SyscallException syscall => new ImageException(ImageError.Host, $"{what}: {syscall.Message}", e),
        _ => null,
    };
}
