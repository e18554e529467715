using System.Globalization;
using Hull.Engine.Containers;
using Hull.Oci;

namespace Hull.Engine.Logs;

/// <summary>Where a container's output is kept and how much of it.</summary>
/// <param name="Keep">False: the <c>none</c> driver, nothing is written.</param>
/// <param name="MaximumSize">Bytes after which the log is rotated; 0: never.</param>
/// <param name="MaximumFiles">The current file and its predecessors <c>.1</c>, <c>.2</c>, …</param>
public readonly record struct LogOptions(bool Keep, long MaximumSize, int MaximumFiles)
{
    /// <summary>json-file, 10 MB × 3: unlike Docker's, a forgotten container does not fill the disk.</summary>
    public static LogOptions Default { get; } = new(Keep: true, 10_000_000, 3);

    /// <exception cref="EngineException">Invalid: an unknown driver or option, or a value out of bounds.</exception>
    public static LogOptions Parse(LogConfig? config)
    {
        switch (config?.Driver)
        {
            case null or "" or "json-file":
                break;
            case "none":
                return Default with { Keep = false };
            default:
                throw EngineException.Invalid(
                    $"logger: no log driver named '{FlagText.Printable(config.Driver)}' is registered; hull has 'json-file' and 'none'");
        }

        LogOptions options = Default;
        foreach ((string name, string value) in config?.Options ?? new Dictionary<string, string>())
        {
            options = name switch
            {
                "max-size" => options with { MaximumSize = ParseSize(value) },
                "max-file" => options with { MaximumFiles = ParseCount(value) },
                // Rotated files are bounded as they are; compression would stop the one thread that serves the container.
                "compress" when value is "false" or "0" or "" => options,
                "compress" => throw EngineException.Invalid("log option compress: hull does not compress rotated logs; leave it out"),
                // Docker copies these into an "attrs" member that its own `logs` shows only with --details.
                "labels" or "labels-regex" or "env" or "env-regex" or "tag" => options,
                "mode" or "max-buffer-size" => options,
                _ => throw EngineException.Invalid($"unknown log opt '{FlagText.Printable(name)}' for json-file log driver"),
            };
        }

        return options;
    }

    /// <summary>A count of bytes: <c>10m</c>, <c>512k</c>, <c>1g</c>, <c>1000</c>; -1 is no bound. Units are decimal in Docker's
    /// own reader of this option (units.FromHumanSize).</summary>
    private static long ParseSize(string text)
    {
        if (text == "-1")
        {
            return 0;
        }

        string number = text.TrimEnd('b', 'B');
        long unit = 1;
        if (number.Length > 0 && char.ToLowerInvariant(number[^1]) is 'k' or 'm' or 'g' or 't')
        {
            unit = char.ToLowerInvariant(number[^1]) switch { 'k' => 1_000, 'm' => 1_000_000, 'g' => 1_000_000_000, _ => 1_000_000_000_000 };
            number = number[..^1];
        }

        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && value <= long.MaxValue / unit && value * unit >= 1
            ? (long)(value * unit)
            : throw EngineException.Invalid($"log option max-size: '{FlagText.Printable(text)}' is no size; write it as 10m, 512k or -1 for no bound");
    }

    private static int ParseCount(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value is >= 1 and <= 1000
            ? value
            : throw EngineException.Invalid($"log option max-file: '{FlagText.Printable(text)}' must be a number from 1 to 1000");
}
