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
        ContainerNetworkState before = StateOf(container) ?? new ContainerNetworkState();
        ContainerAttachment who = new() { Container = container, Name = name, Pid = pid, Endpoints = [settings] };
        Endpoint endpoint = Claim(who, network, settings, FreeNumber(before));
        try
        {
            ContainerNetworkState state = before with { Endpoints = [.. before.Endpoints, endpoint] };
            Save(container, state);
            new NameDirectory(PathsOf(network).Names).Add(container, endpoint);
            int bridge = network.IsBridge ? BridgeLink.Ensure(host, network) : 0;
            LetIn([network], new ContainerNetworkState { Endpoints = [endpoint] });
            ContainerLink.Make(host, inside, network, endpoint, bridge);
            // Where nothing led out before.
            ContainerLink.SetDefaultRoute(
                inside,
                Gateway(who, [network], new ContainerNetworkState { Endpoints = [endpoint] }, ipv6: false),
                Gateway(who, [network], new ContainerNetworkState { Endpoints = [endpoint] }, ipv6: true));
            return state;
        }
        catch
        {
            Save(container, before);
            Withdraw(container, new ContainerNetworkState { Endpoints = [endpoint] }, host);
            throw;
        }
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
        NetworkConfig[] networks = [.. state.Endpoints.Select(one => Store.Read(one.Network))];
        ContainerAttachment who = new()
        {
            Container = container,
            Name = "",
            Pid = pid,
            Endpoints = [.. state.Endpoints.Select(static one => new EndpointSettings { Network = one.Network, NetworkName = one.NetworkName })],
        };
        ContainerLink.SetDefaultRoute(inside, Gateway(who, networks, state, ipv6: false), Gateway(who, networks, state, ipv6: true));
        return state;
    }

    private static int FreeNumber(ContainerNetworkState state)
    {
        int number = 0;
        while (state.Endpoints.Any(endpoint => endpoint.Interface.EndsWith($"{number}", StringComparison.Ordinal)))
        {
            number++;
        }

        return number;
    }
}
