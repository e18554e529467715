using System.Runtime.InteropServices;

namespace Hull.Images.Codecs;

/// <summary>Zstandard by libzstd. Windows above 128 MiB are refused, as the library's own default has it: the frame header
/// of a hostile layer could otherwise claim gigabytes.</summary>
internal sealed unsafe class ZstdDecoder : DecoderStream
{
    private static readonly CodecLibrary Library = new("libzstd.so.1", "libzstd1", "zstd");
    private readonly delegate* unmanaged<nint, OutBuffer*, InBuffer*, nuint> _decompress;
    private readonly delegate* unmanaged<nint, nuint> _free;
    private readonly delegate* unmanaged<nuint, uint> _isError;
    private readonly delegate* unmanaged<nuint, byte*> _errorName;
    private nint _stream;
    private bool _boundary = true;

    public ZstdDecoder(Stream source)
        : base(source)
    {
        _decompress = (delegate* unmanaged<nint, OutBuffer*, InBuffer*, nuint>)Library.Function("ZSTD_decompressStream");
        _free = (delegate* unmanaged<nint, nuint>)Library.Function("ZSTD_freeDStream");
        _isError = (delegate* unmanaged<nuint, uint>)Library.Function("ZSTD_isError");
        _errorName = (delegate* unmanaged<nuint, byte*>)Library.Function("ZSTD_getErrorName");
        // SAFETY: takes no argument; null only without memory.
        _stream = ((delegate* unmanaged<nint>)Library.Function("ZSTD_createDStream"))();
        if (_stream == 0)
        {
            throw new InsufficientMemoryException("ZSTD_createDStream failed");
        }
    }

    protected override string Format => "zstd";

    protected override void Step(
        ReadOnlySpan<byte> input, Span<byte> output, bool last, out int consumed, out int produced, out bool boundary)
    {
        // SAFETY: both spans are pinned for the call, their lengths go with them; the stream lives until Dispose.
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            InBuffer from = new() { Data = source, Size = (nuint)input.Length };
            OutBuffer to = new() { Data = target, Size = (nuint)output.Length };
            nuint result = _decompress(_stream, &to, &from);
            if (_isError(result) != 0)
            {
                throw new InvalidDataException($"corrupt zstd data: {Marshal.PtrToStringUTF8((nint)_errorName(result))}");
            }

            consumed = (int)from.Position;
            produced = (int)to.Position;
            if (consumed > 0 || produced > 0)
            {
                // 0 says that a frame is complete and flushed.
                _boundary = result == 0;
            }

            boundary = _boundary;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_stream != 0)
        {
            // SAFETY: made by ZSTD_createDStream, freed once.
            _ = _free(_stream);
            _stream = 0;
        }

        base.Dispose(disposing);
    }

    /// <summary>ZSTD_inBuffer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct InBuffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    /// <summary>ZSTD_outBuffer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OutBuffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }
}
