using System.Net;

namespace Hull.Networking.Firewall;

/// <summary>A bridge network, as far as the firewall is concerned.</summary>
public sealed record FirewallNetwork
{
    /// <summary>The name of the bridge's link.</summary>
    public required string Bridge { get; init; }

    /// <summary>One, or one of each family.</summary>
    public required IReadOnlyList<IPNetwork> Subnets { get; init; }

    /// <summary>No way out of it and none in, published ports included.</summary>
    public bool Internal { get; init; }

    /// <summary>What leaves it has an address of the host (docker's <c>enable_ip_masquerade</c>).</summary>
    public bool Masquerade { get; init; } = true;

    /// <summary>Its containers reach each other (docker's <c>enable_icc</c>). What a bridge passes from port to port never comes by these
    /// rules: the ports are to be isolated too (<see cref="Hull.Linux.Netlink.BridgePort.Isolated"/>).</summary>
    public bool InterContainer { get; init; } = true;
}
