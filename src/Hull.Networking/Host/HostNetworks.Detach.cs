using System.Net;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Addresses;
using Hull.Networking.Endpoints;
using Hull.Networking.Firewall;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>Taking a container off its networks.</summary>
public sealed partial class HostNetworks
{
    /// <summary>Removes what a container has on the host: after its end, whoever ended it. Nothing where it has nothing.</summary>
    public void Detach(string container)
    {
        if (StateOf(container) is { } state)
        {
            Detach(container, state);
        }
    }

    /// <param name="state">As <see cref="Attach"/> returned it; the file may be gone with the container.</param>
    public void Detach(string container, ContainerNetworkState state)
    {
        using Rtnetlink host = Rtnetlink.Open();
        using FileLock changing = Lock();
        Unregister(container, state, host);
    }

    /// <summary>The caller holds the lock.</summary>
    /// <param name="state">The endpoints and ports that go; all others of the container are in its record.</param>
    private void Unregister(string container, ContainerNetworkState state, Rtnetlink host)
    {
        Files.Unlink(null, StatePath(container));
        Withdraw(container, state, host);
    }

    /// <summary>Takes endpoints off links, names, addresses and the firewall; their networks go with their last ones.</summary>
    private void Withdraw(string container, ContainerNetworkState state, Rtnetlink host)
    {
        List<NetworkConfig> networks = [.. state.Endpoints.Select(static endpoint => endpoint.Network).Distinct().Select(Store.TryRead).OfType<NetworkConfig>()];
        foreach (Endpoint endpoint in state.Endpoints)
        {
            if (endpoint.HostLink is { } link)
            {
                // With the container's namespace it goes by itself, but some time later.
                host.DeleteLink(link);
            }

            NetworkPaths paths = NetworkPaths.Of(_execRoot, endpoint.Network);
            new NameDirectory(paths.Names).Remove(container);
            AddressLeases leases = new(paths.Addresses, _isAlive);
            foreach (IPAddress address in ((IPAddress?[])[endpoint.IPv4, endpoint.IPv6]).OfType<IPAddress>())
            {
                leases.Release(address, container);
            }

            Files.Unlink(null, $"{paths.Endpoints}/{container}");
        }

        List<NetworkConfig> gone = networks.FindAll(network => RemoveIfUnused(network, host));
        if (networks.Exists(static network => network.IsBridge))
        {
            FirewallState less = new(
                [.. gone.Where(static network => network.IsBridge).Select(FirewallPlan.Of)],
                [.. state.Endpoints.Select(FirewallPlan.Of).OfType<FirewallEndpoint>()],
                [.. FirewallPlan.PortsOf(state, id => networks.Exists(network => network.Id == id && network.Internal))]);
            Firewall.Remove(less, isLast: !UsedNetworks().Exists(static network => network.IsBridge));
        }
    }

    /// <summary>A network without endpoints has nothing on the host.</summary>
    /// <returns>Whether it has none.</returns>
    private bool RemoveIfUnused(NetworkConfig network, Rtnetlink host)
    {
        NetworkPaths paths = PathsOf(network);
        try
        {
            Files.RemoveDirectory(null, paths.Endpoints);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOTEMPTY)
        {
            return false;
        }

        BridgeLink.Remove(host, network);
        ContainerLink.RemoveParent(host, network);
        // Leases that a killed process left go with it.
        DirectoryListing.RemoveTree(paths.Directory);
        return true;
    }
}
