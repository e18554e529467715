using System.Net;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Addresses;
using Hull.Networking.Endpoints;
using Hull.Networking.Firewall;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>Putting a container on its networks.</summary>
public sealed partial class HostNetworks
{
    /// <summary>Gives a container that is about to start its links, addresses, names and ports.</summary>
    /// <exception cref="NetworkException">What failed; nothing is left behind.</exception>
    public ContainerNetworkState Attach(ContainerAttachment who)
    {
        using NetworkNamespace container = NetworkNamespace.OfProcess(who.Pid);
        using Rtnetlink host = Rtnetlink.Open();
        using Undo undo = new(LeftBehind);
        List<Placement> placements = Register(who, host, undo);
        foreach (Placement placement in placements)
        {
            ContainerLink.Make(host, container, placement);
        }

        ContainerLink.SetDefaultRoute(container, placements);
        undo.Commit();
        return StateOf(who, placements);
    }

    /// <summary>All that others see of the container, under the lock: from then on its networks stay.</summary>
    private List<Placement> Register(ContainerAttachment who, Rtnetlink host, Undo undo)
    {
        using FileLock changing = Lock();
        // Not before: under the lock nobody removes one.
        NetworkConfig[] networks = [.. who.Endpoints.Select(settings => Store.Read(settings.Network))];
        CheckIPv6(networks);
        List<Placement> placements = [];
        undo.Push(() => TakeBack(who, networks, placements));
        for (int i = 0; i < networks.Length; i++)
        {
            placements.Add(new Placement(networks[i], Claim(who, networks[i], who.Endpoints[i], placements.Select(static placement => placement.Endpoint))));
        }

        ContainerNetworkState state = StateOf(who, placements);
        Save(who.Container, state);
        for (int i = 0; i < placements.Count; i++)
        {
            placements[i] = Establish(who.Container, placements[i], host);
        }

        try
        {
            LetIn(networks, state);
        }
        catch (SyscallException e) when (e.Errno == Errno.EEXIST)
        {
            // The port is ours, since we hold its socket: the rule is one of a container whose monitor was killed.
            RemoveDead(host);
            LetIn(networks, state);
        }

        return placements;
    }

    private static ContainerNetworkState StateOf(ContainerAttachment who, IEnumerable<Placement> placements) =>
        new() { Pid = who.Pid, Endpoints = [.. placements.Select(static placement => placement.Endpoint)], Ports = who.Ports };

    /// <summary>Gives an endpoint its names, and its network what it stands on.</summary>
    private Placement Establish(string container, Placement placement, Rtnetlink host)
    {
        new NameDirectory(PathsOf(placement.Network).Names).Add(container, placement.Endpoint);
        return placement with { Lower = placement.Network.IsBridge ? BridgeLink.Ensure(host, placement.Network) : ParentLink.Ensure(host, placement.Network) };
    }

    /// <summary>Undoes <see cref="Register"/>, however far it came.</summary>
    private void TakeBack(ContainerAttachment who, NetworkConfig[] networks, IEnumerable<Placement> placements)
    {
        using Rtnetlink host = Rtnetlink.Open();
        using FileLock changing = Lock();
        Unregister(who.Container, StateOf(who, placements), host);
        foreach (NetworkConfig network in networks)
        {
            RemoveIfUnused(network, host);
        }
    }

    private void LeftBehind(Exception failure) => _warn($"left behind: {failure.Message}");

    private static void CheckIPv6(params ReadOnlySpan<NetworkConfig> networks)
    {
        foreach (NetworkConfig network in networks)
        {
            if (network.EnableIPv6 && Sysctl.Read("ipv6/conf/all/disable_ipv6") is null)
            {
                throw new NetworkException(NetworkError.Host, $"network {network.Name} has IPv6, which this kernel is without (is ipv6.disable=1 on its command line?): use a network that was created without --ipv6");
            }
        }
    }

    /// <summary>Forwarding, and the firewall's elements of these endpoints.</summary>
    private void LetIn(NetworkConfig[] networks, ContainerNetworkState state)
    {
        NetworkConfig[] bridges = [.. networks.Where(static network => network.IsBridge)];
        if (bridges.Length == 0)
        {
            return;
        }

        FirewallState more = FirewallOf(bridges, state);
        Firewall.Add(
            more,
            ipv6: bridges.Any(static network => network.EnableIPv6),
            hasNewBridges: bridges.Any(network => ContainersOn(network).Count == 1));
        try
        {
            StaleConnections.Forget(more.Ports);
        }
        catch (SyscallException e)
        {
            _warn($"UDP clients that are sending already may not reach the container before they pause for two minutes: {e.Message}");
        }
    }

    private static FirewallState FirewallOf(NetworkConfig[] bridges, ContainerNetworkState state) => new(
        [.. bridges.Select(FirewallPlan.Of)],
        [.. FirewallPlan.EndpointsOf(state)],
        [.. FirewallPlan.PortsOf(state, id => bridges.Any(network => network.Id == id && network.Internal))]);

    /// <param name="others">The container's endpoints so far.</param>
    private Endpoint Claim(ContainerAttachment who, NetworkConfig network, EndpointSettings settings, IEnumerable<Endpoint> others)
    {
        NetworkPaths paths = PathsOf(network);
        Files.MakeDirectories(paths.Addresses, PrivateMode);
        Files.MakeDirectories(paths.Names, PrivateMode);
        Files.MakeDirectories(paths.Endpoints, PrivateMode);
        string id = KernelRandom.ObjectId();
        Endpoint endpoint = new()
        {
            Id = id,
            Network = network.Id,
            NetworkName = network.Name,
            Interface = Placement.FreeInterface(network, others),
            HostLink = network.IsBridge ? "veth" + id[..7] : null,
        };
        // First of all: whoever finds the container dead, however far it came, finds what it has here.
        string mark = $"{paths.Endpoints}/{who.Container}";
        Files.Unlink(null, mark);
        Files.MakeSymbolicLink(endpoint.HostLink ?? endpoint.Interface, null, mark);
        AddressLeases leases = LeasesOf(network);
        string reverse = ReverseName(who.Name, network.Name);
        IPAddress? ipv4 = null, ipv6 = null;
        try
        {
            ipv4 = Claim(leases, network.IPv4, settings.IPv4, who.Container, reverse);
            ipv6 = Claim(leases, network.IPv6, settings.IPv6, who.Container, reverse);
        }
        catch
        {
            if (ipv4 is not null)
            {
                leases.Release(ipv4, who.Container);
            }

            Files.Unlink(null, mark);
            throw;
        }

        return endpoint with
        {
            // An ipvlan has its parent's.
            MacAddress = network.Driver == NetworkDrivers.Ipvlan ? null : settings.MacAddress ?? MacOf(ipv4),
            IPv4 = ipv4,
            PrefixLength4 = ipv4 is null ? 0 : network.IPv4!.Subnet.PrefixLength,
            Gateway4 = network.IPv4?.Gateway,
            IPv6 = ipv6,
            PrefixLength6 = ipv6 is null ? 0 : network.IPv6!.Subnet.PrefixLength,
            Gateway6 = network.IPv6?.Gateway,
            GatewayPriority = settings.GatewayPriority,
            Names = [who.Name, .. settings.Aliases ?? []],
            Links = [.. (settings.Links ?? []).Select(EndpointLink.Parse)],
        };
    }

    private static IPAddress? Claim(AddressLeases leases, IpamConfig? pool, string? wanted, string container, string name) => (pool, wanted) switch
    {
        (null, null) => null,
        (null, _) => throw NetworkException.Invalid($"no configured subnet contains IP address {wanted}: the network has no subnet of this family"),
        (_, null) => leases.Claim(pool, container, name),
        _ => leases.Claim(pool, container, name, IPAddress.Parse(wanted)),
    };

    /// <summary>Docker's: 02:42 and the IPv4 address, so that an address is always behind the same MAC; random where there is none.</summary>
    private static string MacOf(IPAddress? ipv4)
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        bytes[0] = 0x02;
        bytes[1] = 0x42;
        if (ipv4 is null)
        {
            KernelRandom.Fill(bytes[2..]);
        }
        else
        {
            ipv4.TryWriteBytes(bytes[2..], out _);
        }

        return new MacAddress(bytes).ToString();
    }
}
