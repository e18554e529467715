namespace Hull.Engine.Logs;

/// <summary>RFC 3339 times as Docker's logs have them. Always UTC; a tick is 100 ns.</summary>
public static class LogTime
{
    /// <summary>Longest text that <see cref="Format"/> writes.</summary>
    public const int MaximumLength = 30;

    /// <summary>Writes a time.</summary>
    /// <param name="fixedWidth">Nine decimals always, as <c>logs --timestamps</c> shows them; otherwise trailing zeros are
    /// dropped, as the json-file format has them (Go's RFC3339Nano).</param>
    /// <returns>Bytes written.</returns>
    public static int Format(DateTime time, Span<byte> destination, bool fixedWidth)
    {
        Digits(destination, time.Year, 4);
        destination[4] = (byte)'-';
        Digits(destination[5..], time.Month, 2);
        destination[7] = (byte)'-';
        Digits(destination[8..], time.Day, 2);
        destination[10] = (byte)'T';
        Digits(destination[11..], time.Hour, 2);
        destination[13] = (byte)':';
        Digits(destination[14..], time.Minute, 2);
        destination[16] = (byte)':';
        Digits(destination[17..], time.Second, 2);
        int length = 19;
        int fraction = (int)(time.Ticks % TimeSpan.TicksPerSecond);
        if (fixedWidth || fraction != 0)
        {
            destination[length++] = (byte)'.';
            Digits(destination[length..], fraction, 7);
            length += 7;
            if (fixedWidth)
            {
                destination[length++] = (byte)'0';
                destination[length++] = (byte)'0';
            }
            else
            {
                while (destination[length - 1] == (byte)'0')
                {
                    length--;
                }
            }
        }

        destination[length++] = (byte)'Z';
        return length;
    }

    /// <summary>Reads <c>YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)</c>; digits beyond 100 ns are dropped.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTime time)
    {
        time = default;
        if (text.Length < 20
            || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t') || text[13] != ':' || text[16] != ':'
            || !Number(text, 0, 4, out int year) || !Number(text, 5, 2, out int month) || !Number(text, 8, 2, out int day)
            || !Number(text, 11, 2, out int hour) || !Number(text, 14, 2, out int minute) || !Number(text, 17, 2, out int second)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        int at = 19;
        int ticks = 0;
        if (text[at] == '.')
        {
            at++;
            int unit = (int)TimeSpan.TicksPerSecond;
            for (; at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9'; at++)
            {
                unit /= 10;
                ticks += (text[at] - '0') * unit;
            }
        }

        time = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).AddTicks(ticks);
        ReadOnlySpan<byte> zone = text[at..];
        if (zone.SequenceEqual("Z"u8) || zone.SequenceEqual("z"u8))
        {
            return true;
        }

        if (zone.Length != 6 || zone[0] is not ((byte)'+' or (byte)'-') || zone[3] != ':'
            || !Number(zone, 1, 2, out int hours) || !Number(zone, 4, 2, out int minutes))
        {
            return false;
        }

        TimeSpan offset = new(hours, minutes, 0);
        long utc = time.Ticks - (zone[0] == '-' ? -offset.Ticks : offset.Ticks);
        if (utc < 0 || utc > DateTime.MaxValue.Ticks)
        {
            return false;
        }

        time = new DateTime(utc, DateTimeKind.Utc);
        return true;
    }

    private static void Digits(Span<byte> destination, int value, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            destination[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
    }

    private static bool Number(ReadOnlySpan<byte> text, int start, int count, out int value)
    {
        value = 0;
        foreach (byte digit in text.Slice(start, count))
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + (digit - '0');
        }

        return true;
    }
}
