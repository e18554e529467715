using System.Net;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Addresses;
using Hull.Networking.Endpoints;

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
    private void Unregister(string container, ContainerNetworkState state, Rtnetlink host)
    {
        foreach (Endpoint endpoint in state.Endpoints)
        {
            Unregister(container, endpoint, host);
        }

        Files.Unlink(null, StatePath(container));
    }

    private void Unregister(string container, Endpoint endpoint, Rtnetlink host)
    {
        NetworkPaths paths = NetworkPaths.Of(_execRoot, endpoint.Network);
        if (endpoint.HostLink is { } link)
        {
            // With the container's namespace it goes by itself, but some time later.
            host.DeleteLink(link);
        }

        new NameDirectory(paths.Names).Remove(container);
        AddressLeases leases = new(paths.Addresses, _isAlive);
        foreach (IPAddress? address in (IPAddress?[])[endpoint.IPv4, endpoint.IPv6])
        {
            if (address is not null)
            {
                leases.Release(address, container);
            }
        }

        Files.Unlink(null, $"{paths.Endpoints}/{container}");
        RemoveIfUnused(endpoint.Network, host);
    }

    /// <summary>A network without endpoints has nothing on the host.</summary>
    private void RemoveIfUnused(string id, Rtnetlink host)
    {
        NetworkPaths paths = NetworkPaths.Of(_execRoot, id);
        try
        {
            Files.RemoveDirectory(null, paths.Endpoints);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOTEMPTY)
        {
            return;
        }

        if (Store.TryRead(id) is { } network)
        {
            BridgeLink.Remove(host, network);
            ContainerLink.RemoveParent(host, network);
        }

        // Leases that a killed process left go with it.
        DirectoryListing.RemoveTree(paths.Directory);
    }
}
