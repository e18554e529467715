using System.Net;
using Hull.Linux.Netlink;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>A container's link: a veth whose other end is a port of the bridge, or a macvlan or ipvlan on a link of the host.</summary>
internal static class ContainerLink
{
    private const string Loopback = "lo";

    /// <summary>Makes the link in the container's namespace, with its addresses.</summary>
    public static void Make(Rtnetlink host, NetworkNamespace container, Placement placement)
    {
        (NetworkConfig network, Endpoint endpoint, int lower) = placement;
        LinkSettings inside = new()
        {
            Name = endpoint.Interface,
            Namespace = container,
            Mtu = BridgeLink.MtuOf(network),
            Mac = endpoint.MacAddress is { } mac ? MacAddress.Parse(mac) : null,
        };
        if (network.IsBridge)
        {
            host.AddLink(new LinkSettings { Name = endpoint.HostLink!, Master = lower, Mtu = inside.Mtu }, new VethKind(inside));
        }
        else
        {
            host.AddLink(inside, network.Driver == NetworkDrivers.Macvlan ? Macvlan(network, lower) : Ipvlan(network, lower));
        }

        Configure(container, endpoint);
        if (endpoint.HostLink is { } name)
        {
            // Before it is up: no link-local address of the host's end in the container's network.
            Sysctl.Set($"ipv6/conf/{name}/disable_ipv6", "1");
            int index = host.GetLink(name).Index;
            // A container that calls its own published port gets its packets back through the port that they came from.
            host.SetBridgePort(index, new BridgePort { Hairpin = true, Isolated = !network.Option(NetworkOptions.InterContainer, otherwise: true) });
            host.SetUp(index);
        }
    }

    /// <summary>Makes the gateways of one endpoint of each family the container's way out.</summary>
    /// <param name="placements">All that the container has.</param>
    public static void SetDefaultRoute(NetworkNamespace container, IReadOnlyList<Placement> placements)
    {
        using Rtnetlink links = Rtnetlink.Open(container);
        SetDefault(links, IPAddress.Any, Placement.WayOut(placements, ipv6: false), static endpoint => endpoint.Gateway4);
        SetDefault(links, IPAddress.IPv6Any, Placement.WayOut(placements, ipv6: true), static endpoint => endpoint.Gateway6);
    }

    /// <summary>Takes the link out of a container that runs on.</summary>
    public static void Remove(NetworkNamespace container, Endpoint endpoint)
    {
        using Rtnetlink links = Rtnetlink.Open(container);
        links.DeleteLink(endpoint.Interface);
    }

    private static void SetDefault(Rtnetlink links, IPAddress any, Endpoint? endpoint, Func<Endpoint, IPAddress?> gateway)
    {
        if (endpoint is not null)
        {
            links.SetRoute(new Route { Destination = new IPNetwork(any, 0), Gateway = gateway(endpoint), Index = links.GetLink(endpoint.Interface).Index });
        }
    }

    private static void Configure(NetworkNamespace container, Endpoint endpoint)
    {
        // A link without an IPv6 address of the network's has none at all, no link-local one either (CVE-2024-32473).
        container.Within(() => Sysctl.Set($"ipv6/conf/{endpoint.Interface}/disable_ipv6", endpoint.IPv6 is null ? "1" : "0"));
        using Rtnetlink links = Rtnetlink.Open(container);
        // The child's own step does the same, perhaps later.
        links.SetUp(links.GetLink(Loopback).Index);
        int index = links.GetLink(endpoint.Interface).Index;
        if (endpoint.IPv4 is { } ipv4)
        {
            links.AddAddress(index, ipv4, endpoint.PrefixLength4);
        }

        if (endpoint.IPv6 is { } ipv6)
        {
            links.AddAddress(index, ipv6, endpoint.PrefixLength6);
        }

        links.SetUp(index);
    }

    private static MacvlanKind Macvlan(NetworkConfig network, int parent) => new(
        parent,
        (network.Option(NetworkOptions.MacvlanMode) ?? network.Option("mode")) switch
        {
            "private" => MacvlanMode.Private,
            "vepa" => MacvlanMode.Vepa,
            "passthru" => MacvlanMode.Passthru,
            _ => MacvlanMode.Bridge,
        });

    private static IpvlanKind Ipvlan(NetworkConfig network, int parent) => new(
        parent,
        (network.Option(NetworkOptions.IpvlanMode) ?? network.Option("mode")) switch
        {
            "l3" => IpvlanMode.L3,
            "l3s" => IpvlanMode.L3S,
            _ => IpvlanMode.L2,
        },
        network.Option(NetworkOptions.IpvlanFlag) switch
        {
            "private" => IpvlanIsolation.Private,
            "vepa" => IpvlanIsolation.Vepa,
            _ => IpvlanIsolation.Bridge,
        });
}
