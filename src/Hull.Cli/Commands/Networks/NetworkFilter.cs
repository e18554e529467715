using Hull.Cli.Parsing;
using Hull.Networking.Records;

namespace Hull.Cli.Commands.Networks;

/// <summary>The filters of <c>network ls</c> and <c>network prune</c>. Of one key any value will do, of several keys each.</summary>
internal sealed class NetworkFilter
{
    private static readonly string[] Keys = ["dangling", "driver", "id", "label", "label!", "name", "scope", "type", "until"];

    private readonly List<FilterTerm> _wanted;

    private NetworkFilter(List<FilterTerm> wanted) => _wanted = wanted;

    /// <exception cref="FormatException">Not <c>key=value</c>, or no such key.</exception>
    public static NetworkFilter Parse(IReadOnlyList<string> filters) => new(FilterTerm.ParseAll(filters, Keys));

    /// <summary>Whether it must be known which networks no container wants.</summary>
    public bool AsksForUse => _wanted.Exists(static one => one.Key == "dangling");

    public bool Matches(NetworkConfig network, bool unused, DateTimeOffset now) =>
        _wanted.GroupBy(static one => one.Key).All(group => group.Any(one => Matches(network, one.Key, one.Value, unused, now)));

    private static bool Matches(NetworkConfig network, string key, string value, bool unused, DateTimeOffset now) => key switch
    {
        "dangling" => unused == value is "true" or "1",
        "driver" => network.Driver == value,
        "id" => network.Id.StartsWith(value, StringComparison.Ordinal),
        "label" => LabelFilter.Has(network.Labels, value),
        "label!" => !LabelFilter.Has(network.Labels, value),
        "name" => network.Name.Contains(value, StringComparison.Ordinal),
        "scope" => value == "local",
        "type" => value == (NetworkDrivers.IsPredefined(network.Name) ? "builtin" : "custom"),
        _ => Quantity.TryParseInstant(value, now, out DateTimeOffset? instant) && network.Created < instant,
    };
}
