using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink;
using Hull.Networking.Endpoints;
using Hull.Networking.Firewall;
using Hull.Networking.Ports;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>What of networks and containers the firewall is to know.</summary>
internal static class FirewallPlan
{
    public static FirewallNetwork Of(NetworkConfig network) => new()
    {
        Bridge = network.BridgeName,
        Subnets = [.. network.Pools.Select(static pool => new IPNetwork(pool.Subnet.Base, pool.Subnet.PrefixLength))],
        Internal = network.Internal,
        Masquerade = network.Option(NetworkOptions.Masquerade, otherwise: true),
        InterContainer = network.Option(NetworkOptions.InterContainer, otherwise: true),
    };

    public static IEnumerable<FirewallEndpoint> EndpointsOf(ContainerNetworkState state) => state.Endpoints.Select(Of).OfType<FirewallEndpoint>();

    /// <summary>Null for a macvlan's or ipvlan's, whose packets never come by the host.</summary>
    private static FirewallEndpoint? Of(Endpoint endpoint) => endpoint is { HostLink: { } link, MacAddress: { } mac }
        ? new FirewallEndpoint(link, MacAddress.Parse(mac), [.. endpoint.Addresses])
        : null;

    /// <summary>Each port to the container's address of the same family; a port of a family that the container does not have is not the
    /// firewall's.</summary>
    /// <param name="isInternal">Of a network's id.</param>
    public static IEnumerable<FirewallPort> PortsOf(ContainerNetworkState state, Func<string, bool> isInternal)
    {
        (IPAddress? ipv4, IPAddress? ipv6) = AddressesOf(state, isInternal);
        foreach (PublishedPort port in state.Ports)
        {
            if ((port.IsIPv6 ? ipv6 : ipv4) is { } address)
            {
                yield return new FirewallPort(ProtocolOf(port.Protocol), new IPEndPoint(port.HostAddress, port.HostPort), new IPEndPoint(address, port.ContainerPort));
            }
        }
    }

    /// <summary>Where published ports lead: the first address of each family by which the host may reach the container.</summary>
    /// <param name="isInternal">Of a network's id.</param>
    public static (IPAddress? IPv4, IPAddress? IPv6) AddressesOf(ContainerNetworkState state, Func<string, bool> isInternal)
    {
        Endpoint[] reachable = [.. state.Endpoints.Where(endpoint => endpoint.HostLink is not null && !isInternal(endpoint.Network))];
        return (
            reachable.Select(static endpoint => endpoint.IPv4).FirstOrDefault(static address => address is not null),
            reachable.Select(static endpoint => endpoint.IPv6).FirstOrDefault(static address => address is not null));
    }

    private static ProtocolType ProtocolOf(string name) => name switch
    {
        "tcp" => ProtocolType.Tcp,
        "udp" => ProtocolType.Udp,
        // IPPROTO_SCTP; the platform has no name for it.
        _ => (ProtocolType)132,
    };
}
