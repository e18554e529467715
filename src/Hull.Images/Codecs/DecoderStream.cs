namespace Hull.Images.Codecs;

/// <summary>A read-only stream over a native decoder that takes input and gives output in steps. Frames may follow each other.
/// Does not own the source.</summary>
internal abstract class DecoderStream(Stream source) : Stream
{
    private readonly byte[] _input = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _sourceEnded;
    private bool _finished;

    /// <summary>One step: consumes from <paramref name="input"/>, produces into <paramref name="output"/>.</summary>
    /// <param name="last">No input follows; the decoder then finishes or reports truncation.</param>
    /// <param name="boundary">The decoder stands at the end of a frame: the input may end here.</param>
    protected abstract void Step(
        ReadOnlySpan<byte> input, Span<byte> output, bool last, out int consumed, out int produced, out bool boundary);

    /// <summary>The format's name, for errors.</summary>
    protected abstract string Format { get; }

    public sealed override int Read(Span<byte> buffer)
    {
        if (_finished || buffer.IsEmpty)
        {
            return 0;
        }

        while (true)
        {
            if (_start == _end && !_sourceEnded)
            {
                _start = 0;
                _end = source.Read(_input);
                _sourceEnded = _end == 0;
            }

            Step(_input.AsSpan(_start, _end - _start), buffer, _sourceEnded, out int consumed, out int produced, out bool boundary);
            _start += consumed;
            if (produced > 0)
            {
                return produced;
            }

            if (_sourceEnded && _start == _end && consumed == 0)
            {
                _finished = true;
                return boundary ? 0 : throw new InvalidDataException($"truncated: the {Format} data ends too early");
            }
        }
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
