using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Networking.Firewall;

/// <summary>What networks, endpoints and ports are in the sets of <see cref="FirewallTables"/>.</summary>
internal static class FirewallElements
{
    public static IEnumerable<FirewallElement> Of(FirewallState state) =>
        state.Networks.SelectMany(Of).Concat(state.Endpoints.SelectMany(Of)).Concat(state.Ports.Select(Of)).Concat(state.Guarded.Select(Of));

    public static IEnumerable<FirewallElement> Of(FirewallNetwork network)
    {
        NftValue bridge = NftValue.LinkName(network.Bridge);
        yield return new FirewallElement(FirewallTables.Bridges, new NftElement(bridge));
        if (network.Internal)
        {
            yield return new FirewallElement(FirewallTables.Internal, new NftElement(bridge));
        }

        if (network.InterContainer)
        {
            yield return new FirewallElement(FirewallTables.Inside, new NftElement(NftValue.Concat(bridge, bridge)));
        }

        foreach (IPNetwork subnet in network.Subnets)
        {
            bool ipv6 = IsIpv6(subnet.BaseAddress);
            yield return new FirewallElement(ipv6 ? FirewallTables.Own6 : FirewallTables.Own4, new NftElement(NftValue.Concat(bridge, NftValue.Network(subnet))));
            if (network.Masquerade && !network.Internal)
            {
                yield return new FirewallElement(ipv6 ? FirewallTables.Masqueraded6 : FirewallTables.Masqueraded4, new NftElement(NftValue.Network(subnet)));
            }
        }
    }

    public static IEnumerable<FirewallElement> Of(FirewallEndpoint endpoint)
    {
        NftValue port = NftValue.LinkName(endpoint.Port);
        yield return new FirewallElement(FirewallTables.BridgePorts, new NftElement(port));
        yield return new FirewallElement(FirewallTables.Macs, new NftElement(NftValue.Concat(port, endpoint.Mac)));
        foreach (IPAddress address in endpoint.Addresses)
        {
            yield return new FirewallElement(IsIpv6(address) ? FirewallTables.Senders6 : FirewallTables.Senders4, new NftElement(NftValue.Concat(port, endpoint.Mac, address)));
        }
    }

    /// <exception cref="ArgumentException">The host's address and the container's are of two families: NAT does not translate those.</exception>
    public static FirewallElement Of(FirewallPort port)
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
            ? new FirewallElement(ipv6 ? FirewallTables.AnyPorts6 : FirewallTables.AnyPorts4, new NftElement(NftValue.Concat(protocol, number), container))
            : new FirewallElement(ipv6 ? FirewallTables.Ports6 : FirewallTables.Ports4, new NftElement(NftValue.Concat(port.Host.Address, protocol, number), container));
    }

    private static FirewallElement Of(AddressFamily guarded) =>
        new(FirewallTables.Guarded, new NftElement(NftValue.NetworkProtocol(ipv6: guarded == AddressFamily.InterNetworkV6)));

    private static bool IsIpv6(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;
}

/// <summary>One element of one set.</summary>
internal sealed record FirewallElement(NftSet Set, NftElement Element);
