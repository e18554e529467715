using Hull.Engine.Containers;
using Hull.Engine.Networks;
using Hull.Linux.Netlink;
using Hull.Networking;
using Hull.Networking.Addresses;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Records;
using Hull.Oci;

namespace Hull.Engine;

/// <summary>Which networks a new container is to be on.</summary>
public sealed partial class Engine
{
    /// <summary>The networks of a store; a container is alive while its monitor's lock is held.</summary>
    internal static HostNetworks NetworksOf(HullPaths paths, Action<string> warn) =>
        new(paths.DataRoot, paths.ExecRoot, container => ContainerId.TryParse(container, out ContainerId id) && MonitorLock.IsHeld(paths, id), warn);

    /// <summary>Finds each network that a request names, and checks what it asks for there.</summary>
    private HostConfig WithNetworks(HostConfig host)
    {
        if (!NamespaceModes.HasEndpoints(host.NetworkMode))
        {
            return host;
        }

        string mode = host.NetworkMode is null or "" or "default" ? NetworkDrivers.DefaultNetwork : host.NetworkMode;
        List<EndpointSettings> endpoints = [];
        foreach (EndpointSettings asked in host.Endpoints ?? [new EndpointSettings { Network = mode, NetworkName = mode }])
        {
            NetworkConfig network = FindNetwork(asked.Network);
            if (endpoints.Exists(one => one.Network == network.Id))
            {
                throw EngineException.Invalid($"network {network.Name} is given twice");
            }

            Check(asked, network);
            endpoints.Add(asked with { Network = network.Id, NetworkName = network.Name, Links = ContainerLinks.Resolve(Containers, asked.Links, network) });
        }

        return endpoints is [{ NetworkName: NetworkDrivers.HostNetwork or NetworkDrivers.NoneNetwork } only]
            // By its id.
            ? host with { NetworkMode = only.NetworkName, Endpoints = null }
            : host with { NetworkMode = endpoints[0].NetworkName, Endpoints = endpoints };
    }

    /// <summary>A network by name, id or the unique start of an id.</summary>
    /// <exception cref="EngineException">NotFound; Invalid: several ids begin so.</exception>
    public NetworkConfig FindNetwork(string reference)
    {
        try
        {
            return Networks.Store.Find(reference);
        }
        catch (NetworkException e)
        {
            throw Wrap("network", e);
        }
    }

    /// <summary>As <see cref="FindNetwork"/>; null where there is none.</summary>
    public NetworkConfig? TryFindNetwork(string reference)
    {
        try
        {
            return FindNetwork(reference);
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.NotFound)
        {
            return null;
        }
    }

    private static void Check(EndpointSettings asked, NetworkConfig network)
    {
        string name = network.Name;
        Check(!network.IsDefault || asked is { IPv4: null, IPv6: null },
            "user specified IP address is supported on user defined networks only: create one with 'hull network create --subnet …'");
        Check(!network.IsDefault || asked.Aliases is not { Count: > 0 },
            "network-scoped alias is supported only for containers in user defined networks: create one with 'hull network create'");
        Check(network.Driver is not (NetworkDrivers.Host or NetworkDrivers.Null) || asked is { IPv4: null, IPv6: null, Aliases: null, MacAddress: null },
            $"network {name} has neither addresses nor names");
        CheckAddress(asked.IPv4, network, network.IPv4, isIPv6: false);
        CheckAddress(asked.IPv6, network, network.IPv6, isIPv6: true);
        Check(asked.MacAddress is null || (MacAddress.TryParse(asked.MacAddress, out MacAddress mac) && mac.IsUnicast),
            $"{FlagText.Printable(asked.MacAddress ?? "")} is not a valid mac address");
        foreach (string alias in asked.Aliases ?? [])
        {
            Check(ManagedFiles.IsHostName(alias), $"invalid network alias: {FlagText.Printable(alias)}");
        }
    }

    private static void CheckAddress(string? text, NetworkConfig network, IpamConfig? pool, bool isIPv6)
    {
        if (text is null)
        {
            return;
        }

        if (!Subnet.TryParseIP(text, out System.Net.IPAddress? address) || (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != isIPv6)
        {
            throw EngineException.Invalid($"invalid IPv{(isIPv6 ? 6 : 4)} address: {FlagText.Printable(text)}");
        }

        if (pool is null)
        {
            throw EngineException.Invalid($"no configured subnet contains IP address {address}: network {network.Name} has no IPv{(isIPv6 ? 6 : 4)} subnet");
        }

        try
        {
            AddressLeases.Check(pool, address);
        }
        catch (NetworkException e)
        {
            throw Wrap($"network {network.Name}", e);
        }
    }

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw EngineException.Invalid(words);
        }
    }
}
