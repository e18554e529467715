using System.Security.Cryptography;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>A blob on its way into the store: hashed as it is written, into a staging file that vanishes if it is not
/// committed; that of a download stays, for the next attempt to go on with. Not thread-safe.</summary>
/// <remarks>The staging file is locked while its process lives, so that another process's sweep of leftovers spares it, and
/// nobody else fetches the same blob.</remarks>
public sealed class BlobWriter : Stream
{
    private readonly StoreLayout _layout;
    private readonly StagingName _staging;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly bool _isPart;
    private Digest? _digest;
    private long _length;
    private bool _committed;

    internal BlobWriter(StoreLayout layout)
        : this(layout, StagingName.File(layout.BlobStaging), isPart: false)
    {
    }

    private BlobWriter(StoreLayout layout, StagingName staging, bool isPart)
    {
        _layout = layout;
        _staging = staging;
        _file = staging.Handle;
        _isPart = isPart;
    }

    /// <summary>Bytes that an earlier attempt left. They are to be written again, which only hashes them.</summary>
    internal long Begun { get; private init; }

    /// <summary>Begins or goes on with the download of a blob; null while another does.</summary>
    /// <param name="size">Of the blob; what is longer is not a part of it.</param>
    internal static BlobWriter? TryDownload(StoreLayout layout, Digest digest, long size)
    {
        layout.Create();
        if (StagingName.TryPart(layout.BlobStaging, digest.Hex) is not { } staging)
        {
            return null;
        }

        long begun = (long)Files.Stat(staging.Handle, staging.Path).Size;
        if (begun > size)
        {
            Files.SetLength(staging.Handle, 0, staging.Path);
            begun = 0;
        }

        return new BlobWriter(layout, staging, isPart: true) { Begun = begun };
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

        int known = (int)Math.Clamp(Begun - _length, 0, buffer.Length);
        Files.WriteAt(_file, buffer[known..], _length + known, _staging.Path);
        _hash.AppendData(buffer);
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>A stream over what was written, to read it back before the commit. Valid until the writer is disposed.</summary>
    /// <param name="offset">Where it begins.</param>
    internal Stream OpenRead(long offset = 0) => new HandleStream(_file, offset, _length - offset, _staging.Path);

    /// <summary>A stream over what an earlier attempt left. Valid until the writer is disposed.</summary>
    internal Stream OpenBegun() => new HandleStream(_file, 0, Begun, _staging.Path);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // All of it and not committed is the wrong content; nothing of it is nothing to go on with.
            bool isUseful = _isPart && _digest is null && Math.Max(_length, Begun) > 0;
            if (!_committed && !isUseful)
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
