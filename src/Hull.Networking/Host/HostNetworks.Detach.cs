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
        ContainerNetworkState? state = StateOf(container);
        if (state is not null || MarkedNetworks(container).Count > 0)
        {
            Detach(container, state ?? new ContainerNetworkState());
        }
    }

    /// <param name="state">As <see cref="Attach"/> returned it; the file may be gone with the container.</param>
    public void Detach(string container, ContainerNetworkState state)
    {
        using Rtnetlink host = Rtnetlink.Open();
        using FileLock changing = Lock();
        Unregister(container, state, host);
    }

    /// <summary>Removes what containers without a monitor have. The caller holds the lock.</summary>
    private void RemoveDead(Rtnetlink host)
    {
        foreach (string container in NetworkIds().SelectMany(ContainersOn).Distinct().Where(container => !_isAlive(container)).ToList())
        {
            Unregister(container, StateOf(container) ?? new ContainerNetworkState(), host);
        }

        // Of one that was killed before it had its mark.
        foreach (string network in NetworkIds())
        {
            RemoveUnrecorded(network, host);
        }
    }

    /// <summary>The networks, by their ids, on which a container has a mark.</summary>
    private List<string> MarkedNetworks(string container) =>
        NetworkIds().FindAll(network => Files.TryReadLink(null, $"{NetworkPaths.Of(_execRoot, network).Endpoints}/{container}", out _) is not null);

    /// <summary>Removes what a container has on networks that are not in its record: it was killed in the middle of a start, or its record
    /// went before.</summary>
    private void RemoveMarked(string container, Rtnetlink host)
    {
        List<string> marked = MarkedNetworks(container);
        foreach (string network in marked)
        {
            NetworkPaths paths = NetworkPaths.Of(_execRoot, network);
            string mark = $"{paths.Endpoints}/{container}";
            if (Files.TryReadLink(null, mark, out _) is { } link && link.StartsWith("veth", StringComparison.Ordinal))
            {
                host.DeleteLink(link);
            }

            new NameDirectory(paths.Names).Remove(container);
            new AddressLeases(paths.Addresses, _isAlive).ReleaseAll(container);
            Files.Unlink(null, mark);
            RemoveUnrecorded(network, host);
        }

        if (marked.Count > 0)
        {
            // Which elements were the container's nobody knows any more.
            Firewall.Renew(isLast: !HasBridges());
        }
    }

    /// <summary>The caller holds the lock.</summary>
    /// <param name="state">The endpoints and ports that go; all others of the container are in its record.</param>
    private void Unregister(string container, ContainerNetworkState state, Rtnetlink host)
    {
        Withdraw(container, state, host);
        RemoveMarked(container, host);
        // Last: who is killed before leaves it to whoever finds the container dead.
        Files.Unlink(null, StatePath(container));
    }

    /// <summary>Takes endpoints off links, names, addresses and the firewall; their networks go with their last ones.</summary>
    private void Withdraw(string container, ContainerNetworkState state, Rtnetlink host)
    {
        List<NetworkConfig> networks = [];
        List<string> removed = [];
        foreach (string id in state.Endpoints.Select(static endpoint => endpoint.Network).Distinct())
        {
            if (Store.TryRead(id) is { } network)
            {
                networks.Add(network);
            }
            else
            {
                removed.Add(id);
            }
        }

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
            foreach (IPAddress address in endpoint.Addresses)
            {
                leases.Release(address, container);
            }

            Files.Unlink(null, $"{paths.Endpoints}/{container}");
        }

        List<NetworkConfig> gone = networks.FindAll(network => RemoveIfUnused(network, host));
        if (removed.Count > 0)
        {
            // 'network rm' came between the container's end and this: what the record would say of rules is not known any more.
            removed.ForEach(id => RemoveUnrecorded(id, host));
            Firewall.Renew(isLast: !HasBridges());
        }
        else if (networks.Exists(static network => network.IsBridge))
        {
            FirewallState less = new(
                [.. gone.FindAll(static network => network.IsBridge).Select(FirewallPlan.Of)],
                [.. FirewallPlan.EndpointsOf(state)],
                [.. FirewallPlan.PortsOf(state, id => networks.Exists(network => network.Id == id && network.Internal))]);
            Firewall.Remove(less, isLast: !HasBridges());
        }
    }

    /// <summary>Removes a network's record, where no container has come to it since <paramref name="ended"/> was looked at.</summary>
    /// <param name="ended">Containers that run no more; what they still have on the host goes when their monitors come to it.</param>
    /// <returns>False where there is another container on it.</returns>
    public bool TryRemove(NetworkConfig network, IReadOnlyCollection<string> ended)
    {
        using FileLock changing = Lock();
        if (ContainersOn(network).Except(ended).Any())
        {
            return false;
        }

        Store.Remove(network);
        return true;
    }

    /// <summary>A network without endpoints has nothing on the host.</summary>
    /// <returns>Whether it has none.</returns>
    private bool RemoveIfUnused(NetworkConfig network, Rtnetlink host) => TryForget(network.Id, () =>
    {
        if (network.IsBridge)
        {
            BridgeLink.Remove(host, network);
        }
        else
        {
            ParentLink.Remove(host, network.Id, UsedNetworks());
        }
    });

    /// <summary>The same for a network whose record is gone.</summary>
    private void RemoveUnrecorded(string id, Rtnetlink host) => TryForget(id, () =>
    {
        BridgeLink.Remove(host, id);
        ParentLink.Remove(host, id, UsedNetworks());
    });

    /// <summary>Removes a network's links and its directory, unless a container has an endpoint there.</summary>
    private bool TryForget(string id, Action removeLinks)
    {
        NetworkPaths paths = NetworkPaths.Of(_execRoot, id);
        try
        {
            Files.RemoveDirectory(null, paths.Endpoints);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOTEMPTY)
        {
            return false;
        }

        removeLinks();
        // Last: where somebody is killed before, it tells that there is something to remove. Leases that others left go with it.
        DirectoryListing.RemoveTree(paths.Directory);
        return true;
    }
}
