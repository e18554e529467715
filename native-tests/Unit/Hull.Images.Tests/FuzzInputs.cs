using System.Globalization;

namespace Hull.Images.Tests;

/// <summary>What the fuzz tests try.</summary>
internal static class FuzzInputs
{
    /// <summary>How many: few by default, a million by scripts/fuzz.</summary>
    public static int Count { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("HULL_TEST_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 20_000;

    /// <summary>One to three changes: bits, bytes, pieces removed, doubled, and the beginning once more at the end.</summary>
    public static byte[] Mutate(byte[] valid, Random random)
    {
        List<byte> input = [.. valid];
        for (int changes = random.Next(1, 4); changes > 0 && input.Count > 0; changes--)
        {
            int at = random.Next(input.Count);
            switch (random.Next(5))
            {
                case 0:
                    input[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    input[at] = (byte)random.Next(256);
                    break;
                case 2:
                    input.RemoveRange(at, Math.Min(random.Next(1, 40), input.Count - at));
                    break;
                case 3:
                    input.InsertRange(at, input.GetRange(at, Math.Min(random.Next(1, 80), input.Count - at)));
                    break;
                default:
                    // A second stream behind the first, or what is left of it.
                    input.AddRange(valid.AsSpan(0, random.Next(valid.Length)));
                    break;
            }
        }

        return [.. input];
    }
}
