namespace Hull.Images.Archives;

/// <summary>Counts what is read from a stream and tells it at every half mebibyte and at the end. Does not own the stream.</summary>
internal sealed class ProgressStream(Stream source, Action<long> report) : Stream
{
    private const long Step = 512 * 1024;
    private long _read;
    private long _told;

    public override int Read(Span<byte> buffer)
    {
        int n = source.Read(buffer);
        _read += n;
        if (n == 0 ? _told != _read : _read - _told >= Step)
        {
            _told = _read;
            report(_read);
        }

        return n;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
