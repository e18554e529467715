namespace Hull.Networking.Endpoints;

/// <summary>How a container wants to be on a network: the words of <c>--network</c>, <c>--ip</c>, <c>--network-alias</c> and of
/// <c>hull network connect</c>.</summary>
public sealed record EndpointSettings
{
    /// <summary>The network's id.</summary>
    public required string Network { get; init; }

    /// <summary>The network's name at that time, for listings.</summary>
    public required string NetworkName { get; init; }

    public string? IPv4 { get; init; }

    public string? IPv6 { get; init; }

    public string? MacAddress { get; init; }

    public IReadOnlyList<string>? Aliases { get; init; }

    /// <summary><see cref="EndpointLink"/>s. On the default network their targets are ids, so that they follow a rename.</summary>
    public IReadOnlyList<string>? Links { get; init; }

    public IReadOnlyDictionary<string, string>? Options { get; init; }

    /// <summary>The default route is that of the endpoint with the highest number; 0 unless given.</summary>
    public int GatewayPriority { get; init; }
}
