using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>Networks that a container joins and leaves while it runs.</summary>
public sealed partial class HostNetworks
{
    /// <summary>Puts a running container on one more network.</summary>
    /// <returns>All of its endpoints.</returns>
    /// <exception cref="NetworkException">What failed; nothing is left behind.</exception>
    public ContainerNetworkState Connect(string container, string name, int pid, EndpointSettings settings)
    {
        using NetworkNamespace inside = NetworkNamespace.OfProcess(pid);
        using Rtnetlink host = Rtnetlink.Open();
        using FileLock changing = Lock();
        NetworkConfig network = Store.Read(settings.Network);
        CheckIPv6(network);
        ContainerNetworkState before = StateOf(container) ?? new ContainerNetworkState { Pid = pid };
        List<Placement> placements = PlacementsOf(before);
        ContainerAttachment who = new() { Container = container, Name = name, Pid = pid, Endpoints = [settings] };
        // Ends before the lock.
        using Undo undo = new(LeftBehind);
        undo.Push(() => RemoveIfUnused(network, host));
        Endpoint endpoint = Claim(who, network, settings, before.Endpoints);
        undo.Push(() => Withdraw(container, new ContainerNetworkState { Endpoints = [endpoint] }, host));
        ContainerNetworkState state = before with { Endpoints = [.. before.Endpoints, endpoint] };
        Save(container, state);
        undo.Push(() => Save(container, before));
        Placement placement = Establish(container, new Placement(network, endpoint), host);
        LetIn([network], new ContainerNetworkState { Endpoints = [endpoint] });
        ContainerLink.Make(host, inside, placement);
        ContainerLink.SetDefaultRoute(inside, [.. placements, placement]);
        undo.Commit();
        return state;
    }

    /// <summary>Takes a running container off a network.</summary>
    /// <returns>The endpoints that it has left; null where it had none.</returns>
    public ContainerNetworkState? Disconnect(string container, int pid, NetworkConfig network)
    {
        using NetworkNamespace inside = NetworkNamespace.OfProcess(pid);
        using Rtnetlink host = Rtnetlink.Open();
        using FileLock changing = Lock();
        if (StateOf(container) is not { } before || before.Endpoints.FirstOrDefault(one => one.Network == network.Id) is not { } endpoint)
        {
            return null;
        }

        ContainerLink.Remove(inside, endpoint);
        ContainerNetworkState state = before with { Endpoints = [.. before.Endpoints.Where(one => one != endpoint)] };
        Save(container, state);
        Withdraw(container, new ContainerNetworkState { Endpoints = [endpoint] }, host);
        // The way out may have gone with it.
        ContainerLink.SetDefaultRoute(inside, PlacementsOf(state));
        return state;
    }

    private List<Placement> PlacementsOf(ContainerNetworkState state) =>
        [.. state.Endpoints.Select(endpoint => new Placement(Store.Read(endpoint.Network), endpoint))];
}
