using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary>The filters of <c>prune</c>: every one must hold.</summary>
internal sealed class PruneFilter
{
    private readonly List<(string Key, string Value)> _wanted = [];

    /// <param name="keys">Those that the command knows.</param>
    /// <exception cref="FormatException">Not <c>key=value</c>, no such key, or no time.</exception>
    public static PruneFilter Parse(IReadOnlyList<string> filters, DateTimeOffset now, params string[] keys)
    {
        PruneFilter filter = new();
        foreach (string text in filters)
        {
            // label!=x is the key "label!".
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string key = equals <= 0 ? throw new FormatException("bad format of filter (expected name=value)") : text[..equals].Trim().ToLowerInvariant();
            string value = text[(equals + 1)..].Trim();
            if (Array.IndexOf(keys, key) < 0)
            {
                throw new FormatException($"invalid filter '{key}' (use {string.Join(", ", keys)})");
            }

            if (key == "until" && !Quantity.TryParseInstant(value, now, out _))
            {
                throw new FormatException($"'{value}' is no time: expected one such as 2026-01-31T12:00:00, or how long ago, such as 24h");
            }

            filter._wanted.Add((key, value));
        }

        return filter;
    }

    /// <summary>The value of a key given last; null where it is not given.</summary>
    public string? this[string key] => _wanted.FindLast(one => one.Key == key).Value;

    public IEnumerable<string> Texts => _wanted.Select(one => $"{one.Key}={one.Value}");

    public bool Matches(DateTimeOffset created, IReadOnlyDictionary<string, string>? labels, DateTimeOffset now) => _wanted.TrueForAll(one => one.Key switch
    {
        "until" => Quantity.TryParseInstant(one.Value, now, out DateTimeOffset? instant) && created < instant,
        "label" => LabelFilter.Has(labels, one.Value),
        "label!" => !LabelFilter.Has(labels, one.Value),
        _ => true,
    });
}
