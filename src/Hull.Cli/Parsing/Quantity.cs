using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Hull.Oci;

namespace Hull.Cli.Parsing;

/// <summary>Sizes, durations and instants as docker's command line takes them.</summary>
internal static class Quantity
{
    /// <summary><c>512</c>, <c>512b</c>, <c>64m</c>, <c>1.5g</c>, <c>1GiB</c>: powers of 1024 whatever the spelling.</summary>
    /// <exception cref="FormatException">Not a size, in docker's words.</exception>
    public static long ParseBytes(string text)
    {
        int digits = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        ReadOnlySpan<char> number = text.AsSpan(0, digits);
        ReadOnlySpan<char> suffix = text.AsSpan(digits).TrimStart(' ');
        if (number.IsEmpty
            || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            || suffix.Length > 3)
        {
            throw new FormatException($"invalid size: '{text}'");
        }

        Span<char> lower = stackalloc char[3];
        lower = lower[..suffix.ToLowerInvariant(lower)];
        int power = 0;
        if (lower.Length > 0 && lower[0] != 'b')
        {
            power = "kmgtpe".IndexOf(lower[0]) + 1;
            lower = lower[1..];
            if (power == 0 || !(lower.IsEmpty || lower.SequenceEqual("b") || lower.SequenceEqual("ib")))
            {
                throw new FormatException($"invalid suffix: '{suffix}'");
            }
        }
        else if (lower.Length > 1)
        {
            throw new FormatException($"invalid suffix: '{suffix}'");
        }

        double bytes = value * Math.Pow(1024, power);
        return bytes < long.MaxValue ? (long)bytes : throw new FormatException($"invalid size: '{text}'");
    }

    /// <inheritdoc cref="GoDuration.TryParse"/>
    public static bool TryParseDuration(ReadOnlySpan<char> text, out TimeSpan duration) => GoDuration.TryParse(text, out duration);

    /// <summary>A <c>--since</c> or <c>--until</c>: RFC 3339 in full or in part, Unix seconds with a fraction, or a
    /// duration counted back from <paramref name="now"/>.</summary>
    public static bool TryParseInstant(string text, DateTimeOffset now, [NotNullWhen(true)] out DateTimeOffset? instant)
    {
        instant = null;
        if (TryParseDuration(text, out TimeSpan ago))
        {
            instant = now - ago;
        }
        else if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds)
            && seconds < 253402300800m)
        {
            instant = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        }
        else if (text.Length >= 10 && char.IsAsciiDigit(text[0]) && DateTimeOffset.TryParse(
            TrimFraction(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset parsed))
        {
            instant = parsed;
        }

        return instant is not null;
    }

    /// <summary>RFC 3339 allows nine digits of a second's fraction, .NET reads seven.</summary>
    private static string TrimFraction(string text)
    {
        int dot = text.IndexOf('.');
        if (dot < 0)
        {
            return text;
        }

        int end = dot + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return end - dot > 8 ? string.Concat(text.AsSpan(0, dot + 8), text.AsSpan(end)) : text;
    }
}
