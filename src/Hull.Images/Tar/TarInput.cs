namespace Hull.Images.Tar;

/// <summary>Bytes in order, lent in slices so that file content goes from the decompressor's buffer to write(2)
/// without a copy.</summary>
internal abstract class TarInput
{
    /// <summary>The next bytes, at least one and at most <paramref name="max"/>; empty at the end. Valid until the next call.</summary>
    public abstract ReadOnlySpan<byte> Take(int max);

    /// <summary>Passes over bytes; returns how many there were.</summary>
    public virtual long Skip(long count)
    {
        long skipped = 0;
        while (skipped < count)
        {
            int n = Take((int)Math.Min(int.MaxValue, count - skipped)).Length;
            if (n == 0)
            {
                break;
            }

            skipped += n;
        }

        return skipped;
    }
}

/// <summary>Reads a stream through one buffer. Does not own the stream.</summary>
internal sealed class StreamTarInput(Stream stream, int bufferSize = 64 * 1024) : TarInput
{
    private readonly byte[] _buffer = new byte[bufferSize];
    private int _start;
    private int _end;

    public override ReadOnlySpan<byte> Take(int max)
    {
        if (_start == _end)
        {
            _start = 0;
            _end = stream.ReadAtLeast(_buffer, _buffer.Length, throwOnEndOfStream: false);
        }

        int n = Math.Min(max, _end - _start);
        ReadOnlySpan<byte> slice = _buffer.AsSpan(_start, n);
        _start += n;
        return slice;
    }

    /// <summary>Drops bytes that are in the buffer already; returns how many.</summary>
    public int SkipBuffered(long count)
    {
        int n = (int)Math.Min(count, _end - _start);
        _start += n;
        return n;
    }
}
