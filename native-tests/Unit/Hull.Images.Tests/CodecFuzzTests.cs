using Hull.Images.Codecs;

namespace Hull.Images.Tests;

/// <summary>Compressed streams with bytes changed, cut, doubled and put in, always the same ones: each is decompressed to an end or refused as
/// invalid. 20,000 of them, or as many as <c>HULL_TEST_FUZZ</c> says (scripts/fuzz).</summary>
public sealed class CodecFuzzTests
{
    private const int Seed = 20_261_121;

    /// <summary>A hundred times what the samples hold: a changed length may well expand, but what is read here ends.</summary>
    private const int Most = 1 << 20;

    private static readonly (Compression Compression, byte[] Data)[] Samples =
    [
        (Compression.Gzip, StoreFixture.Gzip(new TarBuilder().Dir("d").File("d/f", "hello codec\n").Build())),
        (Compression.Zstd, Convert.FromBase64String(CodecTests.Zstd)),
        (Compression.Xz, Convert.FromBase64String(CodecTests.Xz)),
        (Compression.Bzip2, Convert.FromBase64String(CodecTests.Bzip2)),
    ];

    [Fact]
    public void Read_MutatedStreams_EndOrAreRefused()
    {
        Random random = new(Seed);
        byte[] output = new byte[16 << 10];
        int read = 0;
        for (int i = 0; i < FuzzInputs.Count; i++)
        {
            (Compression compression, byte[] data) = Samples[i % Samples.Length];
            byte[] input = FuzzInputs.Mutate(data, random);
            try
            {
                using Stream decoder = Decompressor.Open(compression, new MemoryStream(input));
                int total = 0;
                for (int n; total < Most && (n = decoder.Read(output)) > 0;)
                {
                    total += n;
                }

                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.NotEqual("", e.Message);
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }

        Assert.InRange(read, 1, FuzzInputs.Count - 1);
    }
}
