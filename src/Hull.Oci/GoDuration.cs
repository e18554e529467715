using System.Globalization;

namespace Hull.Oci;

/// <summary>Durations as docker's command line and configuration files have them.</summary>
public static class GoDuration
{
    /// <summary>Go's durations: <c>300ms</c>, <c>1h2m3.5s</c>, <c>-5m</c>; a bare <c>0</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        bool negative = text.StartsWith("-");
        ReadOnlySpan<char> rest = negative || text.StartsWith("+") ? text[1..] : text;
        if (rest.SequenceEqual("0"))
        {
            return true;
        }

        if (rest.IsEmpty)
        {
            return false;
        }

        double ticks = 0;
        while (!rest.IsEmpty)
        {
            int length = 0;
            while (length < rest.Length && (char.IsAsciiDigit(rest[length]) || rest[length] == '.'))
            {
                length++;
            }

            if (!double.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
            {
                return false;
            }

            rest = rest[length..];
            int unit = 0;
            while (unit < rest.Length && !char.IsAsciiDigit(rest[unit]) && rest[unit] != '.')
            {
                unit++;
            }

            double scale = rest[..unit] switch
            {
                "ns" => 0.01,
                "us" or "µs" or "μs" => 10,
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                _ => 0,
            };
            if (scale == 0)
            {
                return false;
            }

            ticks += value * scale;
            rest = rest[unit..];
        }

        duration = new TimeSpan((long)(negative ? -ticks : ticks));
        return true;
    }
}
