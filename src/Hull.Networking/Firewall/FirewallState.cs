using System.Net.Sockets;

namespace Hull.Networking.Firewall;

/// <summary>Everything that the firewall is to know.</summary>
public sealed record FirewallState(
    IReadOnlyCollection<FirewallNetwork> Networks, IReadOnlyCollection<FirewallEndpoint> Endpoints, IReadOnlyCollection<FirewallPort> Ports)
{
    /// <summary>Families (InterNetwork, InterNetworkV6) in which the host is a router for hull's bridges alone.</summary>
    public IReadOnlyCollection<AddressFamily> Guarded { get; init; } = [];
}
