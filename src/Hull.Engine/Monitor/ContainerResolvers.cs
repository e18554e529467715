using Hull.Engine.Containers;
using Hull.Networking.Dns;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Engine.Monitor;

/// <summary>Whom a container's DNS server asks: the servers that the user gave, from the container, or the host's, from the host; nobody
/// where every network is internal (CVE-2024-29018). Belongs to the monitor's thread.</summary>
internal sealed class ContainerResolvers
{
    private readonly NetworkStore _networks;
    private readonly UpstreamSet? _given;
    private readonly HostResolvers _host = new(ManagedFiles.HostResolvConf);
    private bool _leadsOut;

    public ContainerResolvers(HostConfig host, NetworkStore networks)
    {
        _networks = networks;
        _given = host.Dns is { Count: > 0 } given
            ? UpstreamSet.From(ResolvConf.Parse(string.Concat(given.Select(static server => $"nameserver {server}\n"))), fromContainer: true)
            : null;
    }

    /// <summary>The container is on these networks now.</summary>
    public void Follow(ContainerNetworkState state) =>
        _leadsOut = state.Endpoints.Any(endpoint => _networks.TryRead(endpoint.Network) is not { Internal: true });

    /// <summary>Those of this moment.</summary>
    public UpstreamSet Current() => _leadsOut ? _given ?? _host.Current() : UpstreamSet.None;
}
