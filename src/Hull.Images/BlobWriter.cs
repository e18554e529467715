using System.Security.Cryptography;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>A blob on its way into the store: hashed as it is written, into a staging file that vanishes if it is not
/// committed. Not thread-safe.</summary>
/// <remarks>The staging file is locked while its process lives, so that another process's sweep of leftovers spares it.</remarks>
public sealed class BlobWriter : Stream
{
    private readonly StoreLayout _layout;
    private readonly StagingName _staging;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Digest? _digest;
    private long _length;
    private bool _committed;

    internal BlobWriter(StoreLayout layout)
    {
        _layout = layout;
        _staging = StagingName.File(layout.BlobStaging);
        _file = _staging.Handle;
    }

    /// <summary>Bytes written so far.</summary>
    public override long Length => _length;

    /// <summary>The digest of what was written. Ends the writing.</summary>
    public Digest Finish()
    {
        _digest ??= Digest.FromHash(_hash.GetHashAndReset());
        return _digest.Value;
    }

    /// <summary>Makes the blob part of the store, if its digest is the expected one.</summary>
    /// <param name="expected">Null accepts any.</param>
    /// <param name="sync">False only where the caller has synced the file system since the last write.</param>
    /// <exception cref="ImageException">Corrupt: another digest.</exception>
    public Digest Commit(Digest? expected = null, bool sync = true)
    {
        Digest actual = Finish();
        if (expected is not null && actual != expected)
        {
            throw new ImageException(ImageError.Corrupt, $"digest mismatch: expected {expected}, the {_length} bytes received have {actual}");
        }

        if (sync)
        {
            Files.Sync(_file, _staging.Path);
        }

        // Replacing an equal blob is harmless; the name is durable when the caller syncs the directory or file system.
        Files.Rename(_staging.Path, _layout.Blob(actual));
        _committed = true;
        return actual;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_digest is not null)
        {
            throw new InvalidOperationException("the blob is finished");
        }

        Files.Write(_file, buffer, _staging.Path);
        _hash.AppendData(buffer);
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>A stream over what was written, to read it back before the commit. Valid until the writer is disposed.</summary>
    /// <param name="offset">Where it begins.</param>
    internal Stream OpenRead(long offset = 0) => new HandleStream(_file, offset, _length - offset, _staging.Path);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (!_committed)
            {
                Files.Unlink(null, _staging.Path);
            }

            _staging.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
