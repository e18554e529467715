using Hull.Images.Codecs;

namespace Hull.Images.Tests;

/// <summary>Each codec on a tar made by its own program, whole, cut short, and twice in a row.</summary>
public sealed class CodecTests
{
    internal const string Zstd = "KLUv/WQAJ20CADKDChCgqwN09WwyVMXH/HnUYXFTg5NQnrDLZO3MuPa+4UI6RO8o2o5Yeq6VVAwA8MXlPEAIQXIUgB8CQ+EACP+DmdytXATAoABgOwE4R+YXng==";
    internal const string Xz = "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AGpdADQZSe6N1/i4P8k3Mt7I1YAxJE87cxkvZPruDg32RS4/Ua/IFpnMLHOlNY+fHH5B5ZRAhiLnwQu9L9igMRRDMS6PpkfiMyhQxehb+xJ8Cmq5RGAmnUAJiVpQ2LRA2DFcChP+L7daBEHBbwAAAAB39Y3+c3tdoQABhgGAUAAAI5I5t7HEZ/sCAAAAAARZWg==";
    internal const string Bzip2 = "QlpoOTFBWSZTWb+OhkoAAHx7kMqQAUBAAH0AAAhuRJ4ABAAACCAAdBKU09QDQ09IaNPUEko9TTRpo0AA+8OpWOhBGCQkUejDdyjBAhhb1Bfk6EarKwRlJNCMNp4I1I608O3vKhPoxK8s6jvwiIH4u5IpwoSF/HQyUA==";

    public static TheoryData<string, string> Samples => new() { { "Zstd", Zstd }, { "Xz", Xz }, { "Bzip2", Bzip2 } };

    [Theory]
    [MemberData(nameof(Samples))]
    public void Unpack_CompressedLayer_IsTheFile(string name, string sample)
    {
        using StoreFixture fixture = new();

        string layer = fixture.Unpack(Convert.FromBase64String(sample));

        Assert.Equal(name, $"{Decompressor.Sniff(Convert.FromBase64String(sample))}");
        Assert.Equal("hello codec\n", File.ReadAllText($"{layer}/hello"));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Read_TwoFramesInARow_AreOneStream(string name, string sample)
    {
        byte[] once = Convert.FromBase64String(sample);

        byte[] result = Decode(name, [.. once, .. once]);

        Assert.Equal(2 * 10240, result.Length);
    }

    /// <summary>The layout of zstd:chunked (containers/storage, docs/containers-storage-zstd-chunked.md): frames, then a table of contents and a
    /// footer in skippable frames, which a decompressor passes over.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unpack_ZstdChunkedLayer_IsTheFile(bool skippableFirst)
    {
        using StoreFixture fixture = new();
        byte[] frame = Convert.FromBase64String(Zstd);
        byte[] contents = Skippable(0x50, [.. "{\"version\":1,\"entries\":[]}"u8]);
        byte[] footer = Skippable(0x50, [.. new byte[56], .. "GNUlInUx"u8]);

        string layer = fixture.Unpack(skippableFirst ? [.. contents, .. frame, .. footer] : [.. frame, .. contents, .. footer]);

        Assert.Equal("hello codec\n", File.ReadAllText($"{layer}/hello"));
        Assert.Equal(10240, Decode("Zstd", [.. frame, .. contents, .. footer]).Length);
    }

    [Fact]
    public void Read_ZstdChunkedCutInsideItsFooter_SaysTruncated() => Assert.Contains(
        "truncated",
        Assert.Throws<InvalidDataException>(() => Decode("Zstd", [.. Convert.FromBase64String(Zstd), .. Skippable(0x5f, new byte[64])[..^9]])).Message,
        StringComparison.Ordinal);

    /// <summary>RFC 8878, 3.1.2.</summary>
    private static byte[] Skippable(byte magic, byte[] content) => [magic, 0x2a, 0x4d, 0x18, .. BitConverter.GetBytes(content.Length), .. content];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Read_CutShort_SaysTruncated(string name, string sample)
    {
        byte[] data = Convert.FromBase64String(sample);

        Assert.Contains("truncated", Assert.Throws<InvalidDataException>(() => Decode(name, data[..^9])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Read_Corrupt_IsAnError(string name, string sample)
    {
        byte[] data = Convert.FromBase64String(sample);
        data.AsSpan(30, 20).Fill(0xAA);

        Assert.Throws<InvalidDataException>(() => Decode(name, data));
    }

    [Fact]
    public void CVE_2014_9357_TrojanDecompressorsInTheImage_AreNotRun()
    {
        using StoreFixture fixture = new();
        string marker = $"{fixture.Root}/marker";
        TarBuilder lower = new();
        foreach (string program in new[] { "xz", "unxz", "gzip", "unpigz", "zstd", "bzip2" })
        {
            lower.File($"usr/bin/{program}", $"#!/bin/sh\ntouch {marker}\n", 0x1ED).File($"bin/{program}", $"#!/bin/sh\ntouch {marker}\n", 0x1ED);
        }

        Oci.Digest below = fixture.UnpackLayer(StoreFixture.Gzip(lower.Build()));
        foreach (string sample in new[] { Zstd, Xz, Bzip2 })
        {
            fixture.UnpackLayer(Convert.FromBase64String(sample), below);
        }

        Assert.False(File.Exists(marker));
    }

    [Fact]
    public void CVE_2017_11468_ZstdWindowOf2GiB_IsRefused()
    {
        // Frame header: magic, no single segment, window descriptor of 2^31 bytes, then a block.
        byte[] data = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Decode("Zstd", data));
        Assert.Equal("corrupt zstd data: Frame requires too much memory for decoding", error.Message);
    }

    [Fact]
    public void CVE_2021_20291_XzLayerThatFailsEarly_DoesNotBlockTheNext()
    {
        using StoreFixture fixture = new();
        byte[] broken = [.. Convert.FromBase64String(Xz)[..^40], .. new byte[8 << 20]];

        Assert.Contains("xz", fixture.UnpackError(broken), StringComparison.Ordinal);

        Assert.Equal("hello codec\n", File.ReadAllText($"{fixture.Unpack(Convert.FromBase64String(Xz))}/hello"));
    }

    private static byte[] Decode(string name, byte[] data)
    {
        using Stream decoder = Decompressor.Open(Enum.Parse<Compression>(name), new MemoryStream(data));
        using MemoryStream result = new();
        decoder.CopyTo(result);
        return result.ToArray();
    }
}
