using System.Globalization;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary>A Dockerfile's HEALTHCHECK: <c>NONE</c>, or flags and <c>CMD</c> with a program or a line for the shell.</summary>
internal static class HealthcheckInstruction
{
    /// <param name="text">What follows the word HEALTHCHECK.</param>
    /// <exception cref="EngineException">Neither NONE nor CMD, or a flag that makes no sense.</exception>
    public static ImageHealthcheck Parse(string text)
    {
        ImageHealthcheck check = new();
        string rest = text;
        while (rest.StartsWith("--", StringComparison.Ordinal))
        {
            string[] parts = rest.Split(' ', 2);
            check = Flag(check, parts[0]);
            rest = parts.Length == 2 ? parts[1].Trim() : "";
        }

        string[] words = rest.Split(' ', 2, StringSplitOptions.TrimEntries);
        return words[0].ToUpperInvariant() switch
        {
            "NONE" when words.Length == 1 && rest == text => new ImageHealthcheck { Test = ["NONE"] },
            "NONE" => throw EngineException.Invalid("HEALTHCHECK NONE takes no arguments"),
            "CMD" when words.Length == 2 && words[1].Length > 0 => check with
            {
                Test = DefaultsChanges.JsonList(words[1]) is { } program ? ["CMD", .. program] : ["CMD-SHELL", words[1]],
            },
            "CMD" => throw EngineException.Invalid("missing command after HEALTHCHECK CMD"),
            string other => throw EngineException.Invalid($"unknown type {Output.GoText.Quote(other)} in HEALTHCHECK (try CMD)"),
        };
    }

    private static ImageHealthcheck Flag(ImageHealthcheck check, string flag)
    {
        string[] parts = flag.Split('=', 2);
        string value = parts.Length == 2 ? parts[1] : "";
        return parts[0] switch
        {
            "--interval" => check with { Interval = Nanoseconds(parts[0], value) },
            "--timeout" => check with { Timeout = Nanoseconds(parts[0], value) },
            "--start-period" => check with { StartPeriod = Nanoseconds(parts[0], value) },
            "--start-interval" => check with { StartInterval = Nanoseconds(parts[0], value) },
            "--retries" => check with
            {
                Retries = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int retries) && retries > 0
                    ? retries
                    : throw EngineException.Invalid($"HEALTHCHECK --retries must be at least 1 (not {Output.GoText.Quote(value)})"),
            },
            string other => throw EngineException.Invalid(
                $"unknown flag {other} of HEALTHCHECK: --interval, --timeout, --start-period, --start-interval and --retries are"),
        };
    }

    /// <summary>Docker refuses less than a millisecond, which would check without a pause.</summary>
    private static long Nanoseconds(string flag, string value) =>
        Quantity.TryParseDuration(value, out TimeSpan duration) && (duration == default || duration >= TimeSpan.FromMilliseconds(1))
            ? (long)duration.TotalNanoseconds
            : throw EngineException.Invalid($"HEALTHCHECK {flag} wants a time of a millisecond or more, such as 30s (not {Output.GoText.Quote(value)})");
}
