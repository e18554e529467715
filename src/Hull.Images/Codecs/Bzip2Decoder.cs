using System.Runtime.InteropServices;

namespace Hull.Images.Codecs;

/// <summary>bzip2 by libbz2. Streams may follow each other, as parallel compressors write them.</summary>
internal sealed unsafe class Bzip2Decoder : DecoderStream
{
    private static readonly CodecLibrary Library = new("libbz2.so.1.0", "libbz2-1.0", "bzip2");
    private readonly delegate* unmanaged<BzStream*, int, int, int> _init;
    private readonly delegate* unmanaged<BzStream*, int> _decompress;
    private readonly delegate* unmanaged<BzStream*, int> _end;
    private BzStream* _stream;
    private bool _active;
    private bool _any;

    public Bzip2Decoder(Stream source)
        : base(source)
    {
        _init = (delegate* unmanaged<BzStream*, int, int, int>)Library.Function("BZ2_bzDecompressInit");
        _decompress = (delegate* unmanaged<BzStream*, int>)Library.Function("BZ2_bzDecompress");
        _end = (delegate* unmanaged<BzStream*, int>)Library.Function("BZ2_bzDecompressEnd");
        // In native memory: the library checks that the address stays the same.
        _stream = (BzStream*)NativeMemory.AllocZeroed((nuint)sizeof(BzStream));
    }

    protected override string Format => "bzip2";

    protected override void Step(
        ReadOnlySpan<byte> input, Span<byte> output, bool last, out int consumed, out int produced, out bool boundary)
    {
        consumed = produced = 0;
        boundary = _any && !_active;
        if (input.IsEmpty && !_active)
        {
            return;
        }

        if (!_active)
        {
            // SAFETY: a zeroed or ended bz_stream, alive until Dispose.
            if (_init(_stream, 0, 0) != 0)
            {
                throw new InsufficientMemoryException("BZ2_bzDecompressInit failed");
            }

            _active = true;
        }

        // SAFETY: both spans are pinned for the call, their lengths go with them.
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            _stream->NextIn = source;
            _stream->AvailIn = (uint)input.Length;
            _stream->NextOut = target;
            _stream->AvailOut = (uint)output.Length;
            int result = _decompress(_stream);
            consumed = input.Length - (int)_stream->AvailIn;
            produced = output.Length - (int)_stream->AvailOut;
            switch (result)
            {
                case 0:
                    break;
                case 4:
                    // BZ_STREAM_END
                    _ = _end(_stream);
                    _active = false;
                    _any = true;
                    break;
                default:
                    throw new InvalidDataException($"corrupt bzip2 data ({result})");
            }

            boundary = _any && !_active;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_stream is not null)
        {
            if (_active)
            {
                // SAFETY: initialised, ended once.
                _ = _end(_stream);
            }

            NativeMemory.Free(_stream);
            _stream = null;
        }

        base.Dispose(disposing);
    }

    /// <summary>bz_stream of bzlib.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct BzStream
    {
        public byte* NextIn;
        public uint AvailIn;
        public uint TotalInLow;
        public uint TotalInHigh;
        public byte* NextOut;
        public uint AvailOut;
        public uint TotalOutLow;
        public uint TotalOutHigh;
        public nint State;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
    }
}
