using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Engine.Networks;
using Hull.Linux;
using Hull.Networking;
using Hull.Networking.Endpoints;
using Hull.Networking.Ports;
using Hull.Networking.Records;

namespace Hull.Engine;

/// <summary>Networks: create, list, inspect, remove; containers that come and go while they run.</summary>
public sealed partial class Engine
{
    /// <exception cref="EngineException">Invalid; Conflict: name or subnet in use.</exception>
    public NetworkConfig CreateNetwork(NetworkRequest request) => InNetworks("create network", () => Networks.Store.Create(request));

    /// <summary>Every network by name, the predefined ones included.</summary>
    public IReadOnlyList<NetworkConfig> ListNetworks() => InNetworks("list networks", Networks.Store.List);

    public JsonObject InspectNetwork(string reference)
    {
        NetworkConfig network = FindNetwork(reference);
        return NetworkDocument.Of(network, EndpointsOf(network));
    }

    /// <summary>Removes a network that no container is on.</summary>
    /// <exception cref="EngineException">NotFound; Conflict: containers are on it, or it is predefined.</exception>
    public void RemoveNetwork(string reference)
    {
        NetworkConfig network = FindNetwork(reference);
        IReadOnlyList<string> ended;
        do
        {
            ended = Networks.ContainersOn(network);
            CheckUnused(network);
        }
        while (!InNetworks($"remove network {network.Name}", () => Networks.TryRemove(network, ended)));
    }

    private void CheckUnused(NetworkConfig network)
    {
        if (EndpointsOf(network).ToList() is [var first, ..] all)
        {
            string names = string.Join(", ", all.Select(static one => $"name:\"{one.Container.Name}\" id:\"{one.Container.Id.Short}\""));
            throw EngineException.Conflict(
                $"error while removing network: network {network.Name} has active endpoints ({names}): stop {first.Container.Name}, or 'hull network disconnect -f {network.Name} {first.Container.Name}'");
        }
    }

    /// <summary>Networks that no container wants to be on, running or not; what prune removes.</summary>
    public IReadOnlyList<NetworkConfig> UnusedNetworks()
    {
        HashSet<string> wanted = [];
        foreach (ContainerStatus status in Containers.List(null, out _))
        {
            wanted.UnionWith((TryReadHost(status.Id)?.Endpoints ?? []).Select(static endpoint => endpoint.Network));
        }

        return [.. ListNetworks().Where(network => !NetworkDrivers.IsPredefined(network.Name) && !wanted.Contains(network.Id) && !EndpointsOf(network).Any())];
    }

    /// <summary>Puts a container on one more network, at once where it runs.</summary>
    public void Connect(string reference, ContainerId id, EndpointSettings asked)
    {
        NetworkConfig network = FindNetwork(reference);
        Check(asked, network);
        EndpointSettings settings = asked with { Network = network.Id, NetworkName = network.Name, Links = ContainerLinks.Resolve(Containers, asked.Links, network) };
        // One whose monitor was killed is recovered by the look.
        string name = Status(id).Name;
        Containers.ChangeConfig(id, config =>
        {
            IReadOnlyList<EndpointSettings> endpoints = config.Host.Endpoints
                ?? throw EngineException.Conflict($"container {name} shares a network namespace or has none (--network {config.Host.NetworkMode}): it cannot be connected to a network");
            if (network.Driver is NetworkDrivers.Host or NetworkDrivers.Null)
            {
                throw EngineException.Invalid($"container cannot be connected to network {network.Name}: it is for containers alone in it");
            }

            if (endpoints.Any(one => one.Network == network.Id))
            {
                throw EngineException.Conflict($"endpoint with name {name} already exists in network {network.Name}");
            }

            if (NetworkProcess(id) is int pid)
            {
                ContainerLinks.Check(Containers, Networks, name, [settings]);
                ContainerNetworkState state = InNetworks($"connect {name} to {network.Name}", () => Networks.Connect(id.Hex, Containers.CurrentName(id), pid, settings));
                ManagedFiles.WriteHosts(Paths.ContainerDirectory(id), config, state);
            }

            return config with { Host = config.Host with { Endpoints = [.. endpoints, settings] } };
        });
    }

    /// <summary>Takes a container off a network, at once where it runs.</summary>
    /// <param name="force">Also one that is not on it any more.</param>
    public void Disconnect(string reference, ContainerId id, bool force)
    {
        NetworkConfig network = FindNetwork(reference);
        string name = Status(id).Name;
        Containers.ChangeConfig(id, config =>
        {
            List<EndpointSettings> endpoints = [.. config.Host.Endpoints ?? []];
            if (endpoints.RemoveAll(one => one.Network == network.Id) == 0 && !force)
            {
                throw EngineException.Conflict($"container {id.Hex} is not connected to network {network.Name}");
            }

            if (NetworkProcess(id) is int pid)
            {
                ContainerNetworkState? state = InNetworks($"disconnect {name} from {network.Name}", () => Networks.Disconnect(id.Hex, pid, network));
                ManagedFiles.WriteHosts(Paths.ContainerDirectory(id), config, state);
            }

            return config with { Host = config.Host with { Endpoints = endpoints } };
        });
    }

    /// <summary>A process in the container's network namespace, from the moment on in which its networks are made; null where they are made
    /// later, if at all. The caller holds the record's lock.</summary>
    private int? NetworkProcess(ContainerId id) => MonitorLock.IsHeld(Paths, id) && InNetworks("networks", () => Networks.StateOf(id.Hex)) is { Pid: > 0 } state
        && ProcessStat.TryRead(state.Pid) is { IsDead: false } ? state.Pid : null;

    /// <summary>The ports of the host that lead into a container; none where it does not run.</summary>
    public IReadOnlyList<PublishedPort> PublishedPorts(ContainerId id) =>
        Status(id).IsLive ? InNetworks("ports", () => Networks.StateOf(id.Hex))?.Ports ?? [] : [];

    private IEnumerable<NetworkMember> EndpointsOf(NetworkConfig network)
    {
        foreach (string container in Networks.ContainersOn(network))
        {
            // One that was killed is recovered by the look, and is not on it any more.
            if (ContainerId.TryParse(container, out ContainerId id) && Containers.Exists(id) && Status(id) is { IsLive: true } status
                && Networks.StateOf(container)?.Endpoints.FirstOrDefault(endpoint => endpoint.Network == network.Id) is { } endpoint)
            {
                yield return new NetworkMember(status, endpoint);
            }
        }
    }

    private static void InNetworks(string operation, Action work) => InNetworks(operation, () =>
    {
        work();
        return true;
    });

    private static T InNetworks<T>(string operation, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is NetworkException or SyscallException)
        {
            throw Wrap(operation, e);
        }
    }
}
