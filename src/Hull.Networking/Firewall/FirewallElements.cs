using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Networking.Firewall;

/// <summary>What networks, endpoints and ports are in the sets of <see cref="FirewallTables"/>.</summary>
internal static class FirewallElements
{
    public static IEnumerable<(NftSet Set, NftElement Element)> Of(FirewallState state) =>
        state.Networks.SelectMany(Of).Concat(state.Endpoints.SelectMany(Of)).Concat(state.Ports.Select(Of)).Concat(state.Guarded.Select(Of));

    public static IEnumerable<(NftSet Set, NftElement Element)> Of(FirewallNetwork network)
    {
        NftValue bridge = NftValue.LinkName(network.Bridge);
        yield return (FirewallTables.Bridges, new NftElement(bridge));
        if (network.Internal)
        {
            yield return (FirewallTables.Internal, new NftElement(bridge));
        }

        if (network.InterContainer)
        {
            yield return (FirewallTables.Inside, new NftElement(NftValue.Concat(bridge, bridge)));
        }

        foreach (IPNetwork subnet in network.Subnets)
        {
            bool ipv6 = IsIpv6(subnet.BaseAddress);
            yield return (ipv6 ? FirewallTables.Own6 : FirewallTables.Own4, new NftElement(NftValue.Concat(bridge, NftValue.Network(subnet))));
            if (network.Masquerade && !network.Internal)
            {
                yield return (ipv6 ? FirewallTables.Masqueraded6 : FirewallTables.Masqueraded4, new NftElement(NftValue.Network(subnet)));
            }
        }
    }

    public static IEnumerable<(NftSet Set, NftElement Element)> Of(FirewallEndpoint endpoint)
    {
        NftValue port = NftValue.LinkName(endpoint.Port);
        yield return (FirewallTables.BridgePorts, new NftElement(port));
        yield return (FirewallTables.Macs, new NftElement(NftValue.Concat(port, endpoint.Mac)));
        foreach (IPAddress address in endpoint.Addresses)
        {
            yield return (IsIpv6(address) ? FirewallTables.Senders6 : FirewallTables.Senders4, new NftElement(NftValue.Concat(port, endpoint.Mac, address)));
        }
    }

    /// <exception cref="ArgumentException">The host's address and the container's are of two families: NAT does not translate those.</exception>
    public static (NftSet Set, NftElement Element) Of(FirewallPort port)
    {
        bool ipv6 = IsIpv6(port.Host.Address);
        if (ipv6 != IsIpv6(port.Container.Address))
        {
            throw new ArgumentException($"{port.Host} cannot lead to {port.Container}: one is IPv4, the other IPv6", nameof(port));
        }

        NftValue protocol = NftValue.Protocol(port.Protocol);
        NftValue number = NftValue.Port(port.Host.Port);
        NftValue container = NftValue.Concat(port.Container.Address, NftValue.Port(port.Container.Port));
        return port.Host.Address.Equals(ipv6 ? IPAddress.IPv6Any : IPAddress.Any)
            ? (ipv6 ? FirewallTables.AnyPorts6 : FirewallTables.AnyPorts4, new NftElement(NftValue.Concat(protocol, number), container))
            : (ipv6 ? FirewallTables.Ports6 : FirewallTables.Ports4, new NftElement(NftValue.Concat(port.Host.Address, protocol, number), container));
    }

    private static (NftSet Set, NftElement Element) Of(AddressFamily guarded) =>
        (FirewallTables.Guarded, new NftElement(NftValue.NetworkProtocol(ipv6: guarded == AddressFamily.InterNetworkV6)));

    private static bool IsIpv6(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;
}
