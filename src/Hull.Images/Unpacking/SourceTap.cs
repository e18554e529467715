using System.Security.Cryptography;
using Hull.Oci;

namespace Hull.Images.Unpacking;

/// <summary>Reads a layer's stored form in large pieces, copying each to the blob being kept, or hashing it alone.</summary>
internal sealed class SourceTap : Stream
{
    private readonly Stream _source;
    private readonly BlobWriter? _keep;
    private readonly IncrementalHash? _hash;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(256 * 1024);
    private int _start;
    private int _end;

    public SourceTap(Stream source, BlobWriter? keep, bool hash)
    {
        _source = source;
        _keep = keep;
        _hash = hash && keep is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    }

    /// <summary>Bytes read from the source.</summary>
    public long Taken { get; private set; }

    /// <summary>Whether <see cref="Finish"/> will know a digest.</summary>
    public bool Hashes => _keep is not null || _hash is not null;

    /// <summary>The first bytes, left to be read.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (_end < count)
        {
            int n = Fill(_buffer.AsSpan(_end));
            if (n == 0)
            {
                break;
            }

            _end += n;
        }

        return _buffer.AsSpan(0, Math.Min(count, _end));
    }

    /// <summary>Reads the source to its end.</summary>
    public void Drain()
    {
        _start = _end = 0;
        while (Fill(_buffer) > 0)
        {
        }
    }

    /// <summary>The digest of all that was read; null where nobody asked for it.</summary>
    public Digest? Finish() =>
        _keep is not null ? _keep.Finish() : _hash is null ? null : Digest.FromHash(_hash.GetHashAndReset());

    public override int Read(Span<byte> buffer)
    {
        if (_start == _end)
        {
            _start = 0;
            // A large reader takes straight from the source.
            if (buffer.Length >= _buffer.Length)
            {
                _end = 0;
                return Fill(buffer);
            }

            _end = Fill(_buffer);
        }

        int n = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, n).CopyTo(buffer);
        _start += n;
        return n;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    protected override void Dispose(bool disposing)
    {
        _hash?.Dispose();
        base.Dispose(disposing);
    }

    private int Fill(Span<byte> buffer)
    {
        int n = _source.Read(buffer);
        if (n > 0)
        {
            Taken += n;
            _keep?.Write(buffer[..n]);
            _hash?.AppendData(buffer[..n]);
        }

        return n;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
