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
    /// <param name="bridge">The bridge's index; of no use to other drivers.</param>
    /// <exception cref="NetworkException">Invalid: the host has no such parent link.</exception>
    public static void Make(Rtnetlink host, NetworkNamespace container, NetworkConfig network, Endpoint endpoint, int bridge)
    {
        LinkSettings inside = new()
        {
            Name = endpoint.Interface,
            Namespace = container,
            Mtu = BridgeLink.MtuOf(network),
            Mac = endpoint.MacAddress is { } mac ? MacAddress.Parse(mac) : null,
        };
        if (network.IsBridge)
        {
            host.AddLink(new LinkSettings { Name = endpoint.HostLink!, Master = bridge, Mtu = inside.Mtu }, new VethKind(inside));
        }
        else
        {
            int parent = ParentOf(host, network);
            host.AddLink(inside, network.Driver == NetworkDrivers.Macvlan ? Macvlan(network, parent) : Ipvlan(network, parent));
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

    /// <summary>What a network without a bridge has on the host, when its last endpoint has gone.</summary>
    public static void RemoveParent(Rtnetlink host, NetworkConfig network)
    {
        if (!network.IsBridge && network.Option(NetworkOptions.Parent) is null)
        {
            RemoveParent(host, network.Id);
        }
    }

    /// <summary>The same for a network of which the id alone is known: no link of that name is anybody else's.</summary>
    public static void RemoveParent(Rtnetlink host, string network) => host.DeleteLink(DummyOf(network));

    /// <summary>Makes an endpoint's gateways the container's way out.</summary>
    public static void SetDefaultRoute(NetworkNamespace container, Endpoint? ipv4, Endpoint? ipv6)
    {
        using Rtnetlink links = Rtnetlink.Open(container);
        AddDefault(links, IPAddress.Any, ipv4?.Gateway4, ipv4);
        AddDefault(links, IPAddress.IPv6Any, ipv6?.Gateway6, ipv6);
    }

    /// <summary>Takes the link out of a container that runs on.</summary>
    public static void Remove(NetworkNamespace container, Endpoint endpoint)
    {
        using Rtnetlink links = Rtnetlink.Open(container);
        links.DeleteLink(endpoint.Interface);
    }

    private static void AddDefault(Rtnetlink links, IPAddress any, IPAddress? gateway, Endpoint? endpoint)
    {
        if (gateway is not null)
        {
            links.AddRoute(new Route { Destination = new IPNetwork(any, 0), Gateway = gateway, Index = links.GetLink(endpoint!.Interface).Index });
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

    private static int ParentOf(Rtnetlink host, NetworkConfig network)
    {
        if (network.Option(NetworkOptions.Parent) is { } name)
        {
            return host.FindLink(name)?.Index
                ?? throw NetworkException.Invalid($"network {network.Name}: the host has no link {name}: create the network with --opt parent= and one of {Names(host)}");
        }

        // docker: without a parent, containers of the network see each other and nobody else.
        string dummy = DummyOf(network.Id);
        if (host.FindLink(dummy) is { } there)
        {
            return there.Index;
        }

        host.AddLink(new LinkSettings { Name = dummy, Up = true }, new DummyKind());
        return host.GetLink(dummy).Index;
    }

    private static string DummyOf(string network) => "dm-" + network[..12];

    private static string Names(Rtnetlink host) =>
        string.Join(", ", host.Links().Where(static link => link.Kind is null && link.Name != Loopback).Select(static link => link.Name));
}
