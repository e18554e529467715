using System.Globalization;

namespace Hull.Cli.Output;

/// <summary>Sizes and times as docker words them.</summary>
internal static class Units
{
    private static readonly string[] Decimal = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Powers of 1000 to a number of significant digits: <c>4.43MB</c> with three, <c>1.093MB</c> with four.</summary>
    public static string HumanSize(double bytes, int digits = 4) => Scale(bytes, 1000, digits, Decimal);

    /// <summary>Powers of 1024, four significant digits: <c>7.75GiB</c>.</summary>
    public static string BytesSize(double bytes) => Scale(bytes, 1024, 4, Binary);

    /// <summary>About how long: <c>5 seconds</c>, <c>About a minute</c>, <c>3 weeks</c>.</summary>
    public static string HumanDuration(TimeSpan duration)
    {
        double hoursExact = duration.TotalHours;
        int seconds = (int)duration.TotalSeconds;
        int minutes = (int)duration.TotalMinutes;
        int hours = (int)(hoursExact + 0.5);
        return seconds switch
        {
            < 1 => "Less than a second",
            1 => "1 second",
            < 60 => $"{seconds} seconds",
            _ when minutes == 1 => "About a minute",
            _ when minutes < 60 => $"{minutes} minutes",
            _ when hours == 1 => "About an hour",
            _ when hours < 48 => $"{hours} hours",
            _ when hours < 24 * 7 * 2 => $"{hours / 24} days",
            _ when hours < 24 * 30 * 2 => $"{hours / 24 / 7} weeks",
            _ when hours < 24 * 365 * 2 => $"{hours / 24 / 30} months",
            _ => $"{(int)hoursExact / 24 / 365} years",
        };
    }

    private static string Scale(double bytes, double step, int digits, string[] names)
    {
        int unit = 0;
        double value = bytes;
        // Rounding to the shown digits may carry into the next unit: 999.96 is 1 of the next, not 1e+03 of this.
        while (unit < names.Length - 1 && Round(Math.Abs(value), digits) >= step)
        {
            value /= step;
            unit++;
        }

        return Round(value, digits).ToString("0.####", CultureInfo.InvariantCulture) + names[unit];
    }

    private static double Round(double value, int digits)
    {
        double magnitude = Math.Abs(value);
        int whole = magnitude >= 1000 ? 4 : magnitude >= 100 ? 3 : magnitude >= 10 ? 2 : 1;
        return Math.Round(value, Math.Max(0, digits - whole), MidpointRounding.AwayFromZero);
    }
}
