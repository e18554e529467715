using System.Runtime.InteropServices;

namespace Hull.Images.Codecs;

/// <summary>The .xz format by liblzma. A file that wants more than 128 MiB of memory is refused (<c>xz -9</c> wants 65).</summary>
internal sealed unsafe class XzDecoder : DecoderStream
{
    private const ulong MemoryLimit = 128UL << 20;
    private const uint Concatenated = 0x08;
    private const int Run = 0;
    private const int Finish = 3;
    private static readonly CodecLibrary Library = new("liblzma.so.5", "liblzma5", "xz");
    private readonly delegate* unmanaged<LzmaStream*, int, int> _code;
    private readonly delegate* unmanaged<LzmaStream*, void> _end;
    private LzmaStream* _stream;
    private bool _ended;

    public XzDecoder(Stream source)
        : base(source)
    {
        _code = (delegate* unmanaged<LzmaStream*, int, int>)Library.Function("lzma_code");
        _end = (delegate* unmanaged<LzmaStream*, void>)Library.Function("lzma_end");
        delegate* unmanaged<LzmaStream*, ulong, uint, int> decoder =
            (delegate* unmanaged<LzmaStream*, ulong, uint, int>)Library.Function("lzma_stream_decoder");
        // In native memory: the library keeps a pointer to it. Zeroed is LZMA_STREAM_INIT.
        _stream = (LzmaStream*)NativeMemory.AllocZeroed((nuint)sizeof(LzmaStream));
        // SAFETY: a zeroed lzma_stream, alive until Dispose.
        int result = decoder(_stream, MemoryLimit, Concatenated);
        if (result != 0)
        {
            throw new InsufficientMemoryException($"lzma_stream_decoder failed ({result})");
        }
    }

    protected override string Format => "xz";

    protected override void Step(
        ReadOnlySpan<byte> input, Span<byte> output, bool last, out int consumed, out int produced, out bool boundary)
    {
        consumed = produced = 0;
        boundary = _ended;
        if (_ended)
        {
            return;
        }

        // SAFETY: both spans are pinned for the call, their lengths go with them.
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            _stream->NextIn = source;
            _stream->AvailIn = (nuint)input.Length;
            _stream->NextOut = target;
            _stream->AvailOut = (nuint)output.Length;
            int result = _code(_stream, last ? Finish : Run);
            consumed = input.Length - (int)_stream->AvailIn;
            produced = output.Length - (int)_stream->AvailOut;
            switch (result)
            {
                case 0:
                    break;
                case 1:
                    // LZMA_STREAM_END: with LZMA_CONCATENATED only after LZMA_FINISH.
                    _ended = true;
                    break;
                case 10:
                    // LZMA_BUF_ERROR: no progress possible; at the end of input that is truncation.
                    if (last)
                    {
                        throw new InvalidDataException("truncated: the xz data ends too early");
                    }

                    break;
                case 6:
                    throw new InvalidDataException($"the xz data wants more than {MemoryLimit >> 20} MiB of memory to decompress, so it is refused");
                default:
                    throw new InvalidDataException($"corrupt xz data (lzma_ret {result})");
            }

            boundary = _ended;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_stream is not null)
        {
            // SAFETY: initialised by lzma_stream_decoder, ended and freed once.
            _end(_stream);
            NativeMemory.Free(_stream);
            _stream = null;
        }

        base.Dispose(disposing);
    }

    /// <summary>lzma_stream of lzma/base.h, 136 bytes on 64-bit machines.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LzmaStream
    {
        public byte* NextIn;
        public nuint AvailIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailOut;
        public ulong TotalOut;
        public nint Allocator;
        public nint Internal;
        public nint Reserved1;
        public nint Reserved2;
        public nint Reserved3;
        public nint Reserved4;
        public ulong SeekPosition;
        public ulong Reserved5;
        public nuint Reserved6;
        public nuint Reserved7;
        public uint Reserved8;
        public uint Reserved9;
    }
}
