using System.Globalization;

namespace Hull.Engine.Containers;

/// <summary>Sizes as Docker takes and shows them: powers of 1024 whatever the spelling.</summary>
public static class ByteSize
{
    /// <summary><c>512</c>, <c>64m</c>, <c>1.5g</c>, <c>1GiB</c>; -1 where <paramref name="allowUnlimited"/>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes, bool allowUnlimited = false)
    {
        bytes = 0;
        if (allowUnlimited && text is "-1")
        {
            bytes = -1;
            return true;
        }

        int digits = text.LastIndexOfAnyInRange('0', '9') + 1;
        if (digits == 0
            || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            || !TryFactor(text[digits..].Trim(' '), out double factor)
            || value * factor >= long.MaxValue)
        {
            return false;
        }

        bytes = (long)(value * factor);
        return true;
    }

    /// <summary>A limit in words: <c>64 MiB</c>, <c>1.5 GiB</c>.</summary>
    public static string Words(long bytes)
    {
        ReadOnlySpan<string> units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.##} {units[unit]}");
    }

    private static bool TryFactor(ReadOnlySpan<char> suffix, out double factor)
    {
        factor = 1;
        if (suffix.IsEmpty)
        {
            return true;
        }

        int power = "bkmgtp".IndexOf(char.ToLowerInvariant(suffix[0]));
        factor = Math.Pow(1024, Math.Max(power, 0));
        ReadOnlySpan<char> rest = suffix[1..];
        return power >= 0 && (rest.IsEmpty || (power > 0
            && (rest.Equals("b", StringComparison.OrdinalIgnoreCase) || rest.Equals("ib", StringComparison.OrdinalIgnoreCase))));
    }
}
