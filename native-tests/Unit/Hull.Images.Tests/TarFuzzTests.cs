using Hull.Images.Tar;

namespace Hull.Images.Tests;

/// <summary>Valid archives with bytes changed, cut, doubled and moved, always the same ones: each is read to the end or refused in words. 20,000 of
/// them, or as many as <c>HULL_TEST_FUZZ</c> says (scripts/fuzz).</summary>
public sealed class TarFuzzTests
{
    private const int Seed = 20_240_511;
    private const int BlockSize = 512;
    private const int SizeOffset = 124;
    private const int TypeOffset = 156;

    /// <summary>Of the old GNU form.</summary>
    private const int SparseSizeOffset = 483;

    /// <summary>Every header format and every extension that the reader knows.</summary>
    private static byte[][] Valid()
    {
        byte[] plain = new TarBuilder()
            .Dir("d", mtime: "-1.5").File("d/f", "content", uid: 4_000_000_000).Symlink("d/l", "f").HardLink("d/h", "d/f").Entry("p", '6')
            .Entry("c", '3', major: 1, minor: 3).File(new string('n', 150), "long").Whiteout("d/.wh.x").Whiteout("d/.wh..wh..opq")
            .Entry("x", '0', "x"u8.ToArray(), pax: new() { ["SCHILY.xattr.user.a"] = "v", ["mtime"] = "1.25", ["uid"] = "7" })
            .Entry("glong", 'L', "a/long/gnu/name\0"u8.ToArray()).File("short", "y").Build();
        using MemoryStream written = new();
        TarWriter writer = new(written);
        writer.Add(new TarEntry
        {
            Name = [.. Enumerable.Repeat((byte)'s', 120)],
            Type = TarType.Regular,
            Mode = 0x1A4,
            Size = 1 << 20,
            StoredSize = 5,
            Sparse = [new(4096, 5), new(1 << 20, 0)],
            ModifiedSeconds = -3,
            ModifiedNanoseconds = 1,
            Attributes = [("user.b", [0, 10, 255])],
        });
        writer.Content("holes"u8);
        writer.EndContent(5);
        writer.Finish();
        return [plain, written.ToArray()];
    }

    [Fact]
    public void Read_MutatedArchives_EndOrAreRefused()
    {
        byte[][] valid = Valid();
        Random random = new(Seed);
        int read = 0;
        for (int i = 0; i < FuzzInputs.Count; i++)
        {
            byte[] input = Mutate(valid[i % valid.Length], random);
            try
            {
                ReadAll(input);
                read++;
            }
            catch (ImageException e)
            {
                Assert.Equal(ImageError.Corrupt, e.Kind);
            }
        }

        // Of those that only a file's content was changed in, or nothing that matters.
        Assert.InRange(read, 1, FuzzInputs.Count - 1);
    }

    [RootFact]
    public void Unpack_MutatedArchives_StayWithinTheLayer()
    {
        using StoreFixture fixture = new(new ImageStoreOptions { Sync = false, MaxLayerBytes = 64 << 20 });
        string canary = $"{fixture.Root}/canary";
        File.WriteAllText(canary, "untouched");
        byte[] aiming = new TarBuilder()
            .Symlink("up", "../../../../../..").File($"up{fixture.Root}/canary", "hit").Symlink("abs", fixture.Root).File("abs/canary", "hit")
            .HardLink("link", "up/canary").Dir("d").File("d/f", "x").Whiteout("d/.wh.f").Build();
        byte[][] valid = [.. Valid(), aiming];
        Random random = new(Seed);
        fixture.Unpack(valid[0]);
        string[] before = Outside(fixture);
        for (int i = 0; i < FuzzInputs.Count / 50; i++)
        {
            byte[] input = Mutate(valid[i % valid.Length], random);
            try
            {
                using StagedLayer staged = fixture.Store.Applier.Stage(new MemoryStream(input), null, null, null);
                staged.Commit([]);
            }
            catch (ImageException)
            {
                // Refused: the assertions below say what must hold in any case.
            }
        }

        Assert.Equal("untouched", File.ReadAllText(canary));
        Assert.Equal(before, Outside(fixture));
        fixture.AssertNothingStaged();
    }

    /// <summary>What is beside the store.</summary>
    private static string[] Outside(StoreFixture fixture) => [.. Directory.GetFileSystemEntries(fixture.Root).Order(StringComparer.Ordinal)];

    private static void ReadAll(byte[] input)
    {
        // Larger than any of the archives: what does not end by then never will.
        int left = 100_000;
        TarReader reader = new(new StreamTarInput(new MemoryStream(input), 512));
        while (reader.MoveNext())
        {
            while (!reader.ReadContent(4096).IsEmpty)
            {
                Assert.True(left-- > 0, "the reader does not end");
            }

            Assert.True(left-- > 0, "the reader does not end");
        }
    }

    /// <summary>Changes to the bytes, and those that only an archive has a place for: its lengths, its kinds, its blocks.</summary>
    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] result = random.Next(2) == 0 ? FuzzInputs.Mutate(valid, random) : MutateHeader(valid, random);
        if (random.Next(4) != 0)
        {
            // Right sums, or nothing behind the first header would ever be reached.
            Sum(result);
        }

        return result;
    }

    private static byte[] MutateHeader(byte[] valid, Random random)
    {
        List<byte> input = [.. valid];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int block = random.Next(input.Count / BlockSize) * BlockSize;
            switch (random.Next(4))
            {
                case 0:
                    input.RemoveRange(block, Math.Min(random.Next(1, 2 * BlockSize), input.Count - block - 1));
                    break;
                case 1:
                    input.InsertRange(block, valid.AsSpan(random.Next(valid.Length / BlockSize) * BlockSize, BlockSize));
                    break;
                case 2:
                    input[block + TypeOffset] = (byte)"0123456xgLKSVD7"[random.Next(15)];
                    break;
                default:
                    // A number: what lengths can do.
                    int at = block + (random.Next(2) == 0 ? SizeOffset : SparseSizeOffset);
                    for (int i = at; i < at + 12; i++)
                    {
                        input[i] = (byte)(random.Next(2) == 0 ? '0' + random.Next(8) : random.Next(256));
                    }

                    break;
            }

            if (input.Count < BlockSize)
            {
                break;
            }
        }

        return [.. input];
    }

    private static void Sum(byte[] archive)
    {
        for (int at = 0; at + BlockSize <= archive.Length; at += BlockSize)
        {
            if (archive.AsSpan(at + 257, 5).SequenceEqual("ustar"u8))
            {
                archive.AsSpan(at + 148, 8).Fill((byte)' ');
                int sum = 0;
                foreach (byte value in archive.AsSpan(at, BlockSize))
                {
                    sum += value;
                }

                System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0").CopyTo(archive, at + 148);
            }
        }
    }
}
