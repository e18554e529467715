using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary>The filters of <c>prune</c>: every one must hold.</summary>
internal sealed class PruneFilter
{
    private readonly List<FilterTerm> _wanted;

    private PruneFilter(List<FilterTerm> wanted) => _wanted = wanted;

    /// <param name="keys">Those that the command knows.</param>
    /// <exception cref="FormatException">Not <c>key=value</c>, no such key, or no time.</exception>
    public static PruneFilter Parse(IReadOnlyList<string> filters, DateTimeOffset now, params string[] keys)
    {
        List<FilterTerm> wanted = FilterTerm.ParseAll(filters, keys);
        return wanted.Find(one => one.Key == "until" && !Quantity.TryParseInstant(one.Value, now, out _)) is { } wrong
            ? throw new FormatException($"'{wrong.Value}' is no time: expected one such as 2026-01-31T12:00:00, or how long ago, such as 24h")
            : new PruneFilter(wanted);
    }

    /// <summary>The value of a key given last; null where it is not given.</summary>
    public string? this[string key] => _wanted.FindLast(one => one.Key == key)?.Value;

    public IEnumerable<string> Texts => _wanted.Select(one => $"{one.Key}={one.Value}");

    public bool Matches(DateTimeOffset created, IReadOnlyDictionary<string, string>? labels, DateTimeOffset now) => _wanted.TrueForAll(one => one.Key switch
    {
        "until" => Quantity.TryParseInstant(one.Value, now, out DateTimeOffset? instant) && created < instant,
        "label" => LabelFilter.Has(labels, one.Value),
        "label!" => !LabelFilter.Has(labels, one.Value),
        _ => true,
    });
}
