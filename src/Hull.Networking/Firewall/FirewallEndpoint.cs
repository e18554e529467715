using System.Net;
using Hull.Linux.Netlink;

namespace Hull.Networking.Firewall;

/// <summary>A container's place on a bridge.</summary>
/// <param name="Port">The name of the link that is the bridge's port.</param>
/// <param name="Mac">The container's.</param>
/// <param name="Addresses">The container's on this network; it may send from no other.</param>
public sealed record FirewallEndpoint(string Port, MacAddress Mac, IReadOnlyList<IPAddress> Addresses);
