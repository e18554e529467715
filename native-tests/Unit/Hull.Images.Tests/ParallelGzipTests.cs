using System.IO.Compression;
using Hull.Images.Codecs;

namespace Hull.Images.Tests;

/// <summary>Members in order, the same bytes each time, read by one decoder as one stream.</summary>
public sealed class ParallelGzipTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData((9 << 20) + 12345)]
    public void Compress_AnyLength_ReadsBackAndIsTheSameEachTime(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content.AsSpan(length / 2));

        byte[] first = Compress(content);

        using GZipStream gzip = new(new MemoryStream(first), CompressionMode.Decompress);
        using MemoryStream back = new();
        gzip.CopyTo(back);
        Assert.Equal(content, back.ToArray());
        Assert.Equal(first, Compress(content));
    }

    [Fact]
    public void Compress_Cancelled_Ends()
    {
        using CancellationTokenSource cancel = new();

        Assert.ThrowsAny<OperationCanceledException>(
            () => ParallelGzip.Compress(new MemoryStream(new byte[50 << 20]), Stream.Null, _ => cancel.Cancel(), () => { }, cancel.Token));
    }

    private static byte[] Compress(byte[] content)
    {
        using MemoryStream target = new();
        long taken = 0;
        ParallelGzip.Compress(new MemoryStream(content), target, piece => taken += piece.Length, () => { }, TestContext.Current.CancellationToken);
        Assert.Equal(content.Length, taken);
        return target.ToArray();
    }
}
