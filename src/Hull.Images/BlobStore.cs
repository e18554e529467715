using Hull.Images.Registry;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Content by digest, <c>images/blobs/sha256/HEX</c>: the blobs of an OCI image layout. Thread-safe, and safe among
/// processes: a blob appears whole, by rename.</summary>
public sealed class BlobStore
{
    private readonly StoreLayout _layout;

    internal BlobStore(StoreLayout layout) => _layout = layout;

    public bool Contains(Digest digest) => TrySize(digest) is not null;

    /// <summary>Bytes; null where there is no such blob.</summary>
    public long? TrySize(Digest digest) => (long?)Files.TryStatAt(null, _layout.Blob(digest), followLinks: false, out _)?.Size;

    /// <summary>The path of a blob, present or not.</summary>
    public string PathOf(Digest digest) => _layout.Blob(digest);

    /// <summary>Opens a blob for reading.</summary>
    /// <exception cref="ImageException">NotFound.</exception>
    public FileStream OpenRead(Digest digest)
    {
        SafeFileHandle handle = Files.TryOpenAt(null, _layout.Blob(digest), OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw (errno == Errno.ENOENT
                ? Missing(digest)
                : new SyscallException("open", _layout.Blob(digest), errno));
        // The callers read with buffers of their own.
        return new FileStream(handle, FileAccess.Read, bufferSize: 0);
    }

    /// <summary>A blob to send to a registry; opened when it is read.</summary>
    /// <exception cref="ImageException">NotFound.</exception>
    internal UploadSource Source(Digest digest) => new(
        digest,
        TrySize(digest) ?? throw Missing(digest),
        offset =>
        {
            FileStream stream = OpenRead(digest);
            stream.Position = offset;
            return stream;
        });

    /// <summary>The whole of a small blob, its digest verified.</summary>
    /// <exception cref="ImageException">NotFound, or Corrupt where it is longer than the limit or was changed on disk.</exception>
    public byte[] ReadAll(Digest digest, int limit)
    {
        using FileStream stream = OpenRead(digest);
        byte[] content;
        try
        {
            content = Files.ReadAll(stream.SafeFileHandle, limit, _layout.Blob(digest));
        }
        catch (InvalidDataException e)
        {
            throw new ImageException(ImageError.Corrupt, e.Message, e);
        }

        return Digest.Of(content) == digest
            ? content
            : throw new ImageException(ImageError.Corrupt, $"blob {digest}: the stored file has the digest {Digest.Of(content)} (remove the image and load it again)");
    }

    /// <summary>Begins a blob; nothing is visible before <see cref="BlobWriter.Commit"/>.</summary>
    public BlobWriter Begin()
    {
        _layout.Create();
        return new BlobWriter(_layout);
    }

    /// <summary>Begins the download of a blob, or goes on where an earlier attempt ended; null while another process or thread
    /// downloads it.</summary>
    internal BlobWriter? TryDownload(Descriptor blob) => BlobWriter.TryDownload(_layout, blob.Digest, blob.Size);

    /// <summary>Removes what a download left that turned out to be wrong, unless another goes on with it.</summary>
    internal void RemovePart(Digest digest)
    {
        using StagingName? part = StagingName.TryPart(_layout.BlobStaging, digest.Hex);
        if (part is not null)
        {
            Files.Unlink(null, part.Path);
        }
    }

    /// <summary>Stores bytes at hand.</summary>
    public Digest Put(ReadOnlySpan<byte> content)
    {
        Digest digest = Digest.Of(content);
        if (Contains(digest))
        {
            return digest;
        }

        using BlobWriter writer = Begin();
        writer.Write(content);
        return writer.Commit(digest);
    }

    private static ImageException Missing(Digest digest) =>
        new(ImageError.NotFound, $"blob {digest}: not in the store (remove the image, then pull or load it again)");
}
