using System.Net;

namespace Hull.Networking.Endpoints;

/// <summary>A running container's place on a network.</summary>
public sealed record Endpoint
{
    /// <summary>64 hexadecimal digits.</summary>
    public required string Id { get; init; }

    public required string Network { get; init; }

    public required string NetworkName { get; init; }

    /// <summary>The link's name in the container.</summary>
    public required string Interface { get; init; }

    /// <summary>The veth's end on the host; null for a macvlan or ipvlan, which have none.</summary>
    public string? HostLink { get; init; }

    public string? MacAddress { get; init; }

    public IPAddress? IPv4 { get; init; }

    public int PrefixLength4 { get; init; }

    public IPAddress? Gateway4 { get; init; }

    public IPAddress? IPv6 { get; init; }

    /// <summary>Those that it has.</summary>
    public IEnumerable<IPAddress> Addresses => ((IPAddress?[])[IPv4, IPv6]).OfType<IPAddress>();

    public int PrefixLength6 { get; init; }

    public IPAddress? Gateway6 { get; init; }

    /// <summary>The default route is that of the endpoint with the highest number.</summary>
    public int GatewayPriority { get; init; }

    /// <summary>Names by which the network's other containers find it; the first is the container's own.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Names that this container alone has for others of the network.</summary>
    public IReadOnlyList<EndpointLink> Links { get; init; } = [];
}
