using System.Net;
using Hull.Networking.Addresses;

namespace Hull.Networking.Records;

/// <summary>One pool of a network: its subnet, and what of it is given out.</summary>
public sealed record IpamConfig
{
    public required Subnet Subnet { get; init; }

    /// <summary>Where addresses are chosen from; null: all of the subnet. Addresses asked for may lie outside.</summary>
    public Subnet? Range { get; init; }

    /// <summary>The bridge's own address; null in a network without a way out of its own (ipvlan l3, internal macvlan).</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>Addresses that others in the same net have, by name (--aux-address).</summary>
    public IReadOnlyDictionary<string, string>? Auxiliary { get; init; }
}
