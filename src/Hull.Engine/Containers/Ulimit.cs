using System.Globalization;
using System.Text.Json.Serialization;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>--ulimit <c>name=soft[:hard]</c>; the unit is the resource's own (setrlimit(2)), -1 for unlimited.</summary>
public sealed record Ulimit
{
    private static readonly string[] Names =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ];

    /// <summary>Lower case, without RLIMIT_.</summary>
    public required string Name { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long Soft { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long Hard { get; init; }

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static Ulimit Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            throw EngineException.Invalid($"invalid ulimit argument: {FlagText.Printable(text)}");
        }

        string name = text[..equals];
        if (Array.IndexOf(Names, name) < 0)
        {
            throw EngineException.Invalid($"invalid ulimit type: {FlagText.Printable(name)} (one of {string.Join(", ", Names)})");
        }

        string values = text[(equals + 1)..];
        int colon = values.IndexOf(':', StringComparison.Ordinal);
        long soft = Number(colon < 0 ? values : values[..colon], text);
        long hard = colon < 0 ? soft : Number(values[(colon + 1)..], text);
        if (hard >= 0 && (soft > hard || soft == -1))
        {
            throw EngineException.Invalid($"ulimit soft limit must be less than or equal to hard limit: {values.Replace(":", " > ", StringComparison.Ordinal)}");
        }

        return new Ulimit { Name = name, Soft = soft, Hard = hard };
    }

    private static long Number(string digits, string text) =>
        long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= -1
            ? value
            : throw EngineException.Invalid($"invalid ulimit argument: {FlagText.Printable(text)} (limits are numbers, -1 for unlimited)");
}
