namespace Hull.Images.Tar;

/// <summary>Reads tar archives: ustar, PAX (POSIX.1-2008), GNU and v7. Sequential, not thread-safe.</summary>
/// <remarks>
/// Own code and not System.Formats.Tar because that decodes names as UTF-8, so that two files whose names differ in an
/// invalid byte become one, and refuses GNU sparse files. Format: tar(5) of libarchive, "Basic Tar Format" of GNU tar,
/// pax(1p). Every length in a header is checked before memory is taken for it.
/// </remarks>
internal sealed partial class TarReader(TarInput input)
{
    public const int BlockSize = 512;

    /// <summary>The longest extension header (names, PAX records, sparse maps), bytes; as other readers have it.</summary>
    public const int MaxExtensionBytes = 1 << 20;

    private readonly byte[] _header = new byte[BlockSize];
    private readonly Dictionary<string, byte[]> _globalRecords = [];
    private Extensions _extensions = new();
    private long _remaining;
    private int _padding;
    private bool _ended;

    /// <summary>The entry read last; a new object each time.</summary>
    public TarEntry Current { get; private set; } = new();

    /// <summary>Bytes taken from the input.</summary>
    public long Position { get; private set; }

    /// <summary>Reads the next entry, passing over what is left of the current one. False at the end.</summary>
    /// <exception cref="ImageException">Corrupt: truncated, a bad checksum, a number or record that makes no sense.</exception>
    public bool MoveNext()
    {
        SkipContent();
        _extensions = new Extensions();
        while (!_ended && ReadHeader())
        {
            byte type = _header[156];
            switch (type)
            {
                case (byte)'x':
                    ParsePax(ReadExtension("PAX header"), _extensions.Records);
                    continue;
                case (byte)'g':
                    ParsePax(ReadExtension("PAX global header"), _globalRecords);
                    continue;
                case (byte)'L':
                    _extensions.LongName = TrimNul(ReadExtension("GNU long name"));
                    continue;
                case (byte)'K':
                    _extensions.LongLink = TrimNul(ReadExtension("GNU long link"));
                    continue;
                case (byte)'V':
                    // A volume label, not a file.
                    continue;
                default:
                    Current = ParseEntry(type);
                    return true;
            }
        }

        _ended = true;
        return false;
    }

    /// <summary>The next bytes of the current entry's stored content, at most <paramref name="max"/>; empty at its end.
    /// Valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadContent(int max)
    {
        if (_remaining == 0)
        {
            return default;
        }

        ReadOnlySpan<byte> slice = input.Take((int)Math.Min(max, _remaining));
        if (slice.IsEmpty)
        {
            throw Truncated(_remaining);
        }

        _remaining -= slice.Length;
        Position += slice.Length;
        return slice;
    }

    private void SkipContent()
    {
        if (_remaining > 0)
        {
            long skipped = input.Skip(_remaining);
            Position += skipped;
            if (skipped < _remaining)
            {
                throw Truncated(_remaining - skipped);
            }

            _remaining = 0;
        }

        SkipPadding();
    }

    private void SkipPadding()
    {
        while (_padding > 0)
        {
            ReadOnlySpan<byte> slice = input.Take(_padding);
            if (slice.IsEmpty)
            {
                // Some writers end without padding the last entry; nothing is lost.
                _padding = 0;
                _ended = true;
                return;
            }

            _padding -= slice.Length;
            Position += slice.Length;
        }
    }

    private void BeginContent(long size)
    {
        _remaining = size;
        _padding = (int)(-size & (BlockSize - 1));
    }

    /// <summary>False at the end: a block of zeros, or no more input at a block's boundary.</summary>
    private bool ReadHeader()
    {
        if (!ReadBlock(_header))
        {
            return false;
        }

        if (!_header.AsSpan().ContainsAnyExcept((byte)0))
        {
            return false;
        }

        CheckSum();
        return true;
    }

    private bool ReadBlock(Span<byte> block)
    {
        int have = 0;
        while (have < block.Length)
        {
            ReadOnlySpan<byte> slice = input.Take(block.Length - have);
            if (slice.IsEmpty)
            {
                return have == 0 ? false : throw Corrupt(Position < BlockSize
                    ? $"truncated, or not a tar archive: only {Position} bytes long"
                    : $"truncated: the archive ends inside a header (at byte {Position})");
            }

            slice.CopyTo(block[have..]);
            have += slice.Length;
            Position += slice.Length;
        }

        return true;
    }

    private byte[] ReadExtension(string what)
    {
        long size = ParseNumber(_header.AsSpan(124, 12), "size");
        if (size is < 0 or > MaxExtensionBytes)
        {
            throw Corrupt($"a {what} of {size} bytes (the limit is {MaxExtensionBytes})");
        }

        byte[] content = new byte[size];
        BeginContent(size);
        if (!ReadBlock(content) && size > 0)
        {
            throw Corrupt($"truncated: the archive ends inside a {what}");
        }

        _remaining = 0;
        SkipPadding();
        return content;
    }

    private void CheckSum()
    {
        // The sum takes its own field as spaces; some old writers summed signed bytes.
        long unsigned = 0;
        long signed = 0;
        for (int i = 0; i < BlockSize; i++)
        {
            byte value = i is >= 148 and < 156 ? (byte)' ' : _header[i];
            unsigned += value;
            signed += (sbyte)value;
        }

        if (!TryParseOctal(_header.AsSpan(148, 8), out long expected) || (expected != unsigned && expected != signed))
        {
            throw Corrupt(Position == BlockSize
                ? "not a tar archive (the first header has a wrong checksum)"
                : $"a header has a wrong checksum (at byte {Position - BlockSize})");
        }
    }

    private ImageException Truncated(long missing) =>
        Corrupt($"truncated: the archive ends {missing} bytes before the end of '{Current.DisplayName}'");

    private static byte[] TrimNul(byte[] text)
    {
        int nul = text.AsSpan().IndexOf((byte)0);
        return nul < 0 ? text : text[..nul];
    }

    private static ImageException Corrupt(string problem) => new(ImageError.Corrupt, problem);

    /// <summary>What the headers before an entry say of it.</summary>
    private sealed class Extensions
    {
        public Dictionary<string, byte[]> Records { get; } = [];

        public byte[]? LongName { get; set; }

        public byte[]? LongLink { get; set; }
    }
}
