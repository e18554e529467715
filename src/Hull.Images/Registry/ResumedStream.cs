namespace Hull.Images.Registry;

/// <summary>What an earlier attempt left of a blob, then the rest. Owns neither.</summary>
internal sealed class ResumedStream(Stream begun, Stream rest) : Stream
{
    private bool _isBegunRead;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (!_isBegunRead)
        {
            int n = begun.Read(buffer);
            if (n > 0 || buffer.Length == 0)
            {
                return n;
            }

            _isBegunRead = true;
        }

        return rest.Read(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
