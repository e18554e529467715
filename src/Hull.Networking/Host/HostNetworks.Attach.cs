using System.Globalization;
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
        using Undo undo = new(failure => Warn($"left behind: {failure.Message}"));
        ContainerNetworkState state = Register(who, host, undo, out NetworkConfig[] networks, out int[] bridges);
        for (int i = 0; i < networks.Length; i++)
        {
            ContainerLink.Make(host, container, networks[i], state.Endpoints[i], bridges[i]);
        }

        ContainerLink.SetDefaultRoute(container, Gateway(who, networks, state, ipv6: false), Gateway(who, networks, state, ipv6: true));
        undo.Commit();
        return state;
    }

    /// <summary>All that others see of the container, under the lock: from then on its networks stay.</summary>
    private ContainerNetworkState Register(ContainerAttachment who, Rtnetlink host, Undo undo, out NetworkConfig[] networks, out int[] bridges)
    {
        using FileLock changing = Lock();
        // Not before: under the lock nobody removes one.
        networks = [.. who.Endpoints.Select(settings => Store.Read(settings.Network))];
        CheckIPv6(networks);
        List<Endpoint> endpoints = [];
        try
        {
            for (int i = 0; i < networks.Length; i++)
            {
                endpoints.Add(Claim(who, networks[i], who.Endpoints[i], i));
            }

            ContainerNetworkState state = new() { Endpoints = endpoints, Ports = who.Ports };
            Save(who.Container, state);
            bridges = new int[networks.Length];
            for (int i = 0; i < networks.Length; i++)
            {
                new NameDirectory(PathsOf(networks[i]).Names).Add(who.Container, endpoints[i]);
                bridges[i] = networks[i].IsBridge ? BridgeLink.Ensure(host, networks[i]) : 0;
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

            undo.Push(() => Detach(who.Container, state));
            return state;
        }
        catch
        {
            Unregister(who.Container, new ContainerNetworkState { Endpoints = endpoints, Ports = who.Ports }, host);
            foreach (NetworkConfig network in networks)
            {
                RemoveIfUnused(network, host);
            }

            throw;
        }
    }

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

        Forwarding.Enable(ipv6: bridges.Any(static network => network.EnableIPv6));
        FirewallState more = FirewallOf(bridges, state);
        Firewall.Add(more, hasNewBridges: bridges.Any(network => ContainersOn(network).Count == 1));
        try
        {
            StaleConnections.Forget(more.Ports);
        }
        catch (SyscallException e)
        {
            Warn($"UDP clients that are sending already may not reach the container before they pause for two minutes: {e.Message}");
        }
    }

    private static FirewallState FirewallOf(NetworkConfig[] bridges, ContainerNetworkState state) => new(
        [.. bridges.Select(FirewallPlan.Of)],
        [.. FirewallPlan.EndpointsOf(state)],
        [.. FirewallPlan.PortsOf(state, id => bridges.Any(network => network.Id == id && network.Internal))]);

    private Endpoint Claim(ContainerAttachment who, NetworkConfig network, EndpointSettings settings, int number)
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
            Interface = string.Create(CultureInfo.InvariantCulture, $"{network.Option(NetworkOptions.InterfacePrefix) ?? "eth"}{number}"),
            HostLink = network.IsBridge ? "veth" + id[..7] : null,
        };
        // First of all: whoever finds the container dead, however far it came, finds what it has here.
        string mark = $"{paths.Endpoints}/{who.Container}";
        Files.Unlink(null, mark);
        Files.MakeSymbolicLink(endpoint.HostLink ?? endpoint.Interface, null, mark);
        AddressLeases leases = LeasesOf(network);
        string reverse = $"{who.Name}.{network.Name}";
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
            Names = [who.Name, .. settings.Aliases ?? []],
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

    /// <summary>The endpoint whose network is the way out: the highest priority, then the first.</summary>
    private static Endpoint? Gateway(ContainerAttachment who, NetworkConfig[] networks, ContainerNetworkState state, bool ipv6)
    {
        Endpoint? best = null;
        int priority = int.MinValue;
        for (int i = 0; i < networks.Length; i++)
        {
            Endpoint endpoint = state.Endpoints[i];
            bool leadsOut = !networks[i].Internal && (ipv6 ? endpoint.IPv6 is not null && endpoint.Gateway6 is not null : endpoint.IPv4 is not null && endpoint.Gateway4 is not null);
            if (leadsOut && who.Endpoints[i].GatewayPriority > priority)
            {
                best = endpoint;
                priority = who.Endpoints[i].GatewayPriority;
            }
        }

        return best;
    }
}
