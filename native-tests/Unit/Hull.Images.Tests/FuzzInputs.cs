using System.Globalization;

namespace Hull.Images.Tests;

/// <summary>How many inputs the fuzz tests try: few by default, a million by scripts/fuzz.</summary>
internal static class FuzzInputs
{
    public static int Count { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("HULL_TEST_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 20_000;
}
