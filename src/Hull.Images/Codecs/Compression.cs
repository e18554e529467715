using System.IO.Compression;

namespace Hull.Images.Codecs;

/// <summary>How a stream is compressed.</summary>
public enum Compression
{
    None,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

/// <summary>Tells compressions by their first bytes and opens decompressors. Everything happens in this process: no program is run
/// (CVE-2014-9357, CVE-2026-41567).</summary>
internal static class Decompressor
{
    /// <summary>How many first bytes <see cref="Sniff"/> wants to see.</summary>
    public const int MagicLength = 6;

    /// <summary>The compression that begins so. Media types do not decide: real archives carry wrong ones.</summary>
    public static Compression Sniff(ReadOnlySpan<byte> start) => start switch
    {
        [0x1f, 0x8b, ..] => Compression.Gzip,
        // A skippable frame (RFC 8878, 3.1.2) may come first, as estargz-like tools write it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] or [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..] => Compression.Zstd,
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => Compression.Xz,
        [(byte)'B', (byte)'Z', (byte)'h', ..] => Compression.Bzip2,
        _ => Compression.None,
    };

    /// <summary>A stream of the uncompressed bytes. Does not own <paramref name="source"/>.</summary>
    /// <exception cref="ImageException">Host: the codec's library is not installed.</exception>
    public static Stream Open(Compression compression, Stream source) => compression switch
    {
        Compression.Gzip => new GZipStream(source, CompressionMode.Decompress, leaveOpen: true),
        Compression.Zstd => new ZstdDecoder(source),
        Compression.Xz => new XzDecoder(source),
        Compression.Bzip2 => new Bzip2Decoder(source),
        _ => source,
    };
}
