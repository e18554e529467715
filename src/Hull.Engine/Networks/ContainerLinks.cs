using Hull.Engine.Containers;
using Hull.Networking;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Records;

namespace Hull.Engine.Networks;

/// <summary>docker's <c>--link</c>: a name of a container's own for another one. On the default network it holds another container, which must
/// be there, and run before; on others a name, whoever has it when it is asked for. Names alone: docker has given no variables of the
/// environment by default since 29.</summary>
internal static class ContainerLinks
{
    /// <summary>Checks what was asked for, and finds its targets.</summary>
    /// <exception cref="EngineException">Invalid, with docker's words.</exception>
    public static IReadOnlyList<string>? Resolve(ContainerStore containers, IReadOnlyList<string>? links, NetworkConfig network) => links is { Count: > 0 }
        ? [.. links.Select(text => Resolve(containers, Parse(text), network).ToString())]
        : null;

    /// <summary>Before a start: whoever is linked to on the default network runs there.</summary>
    /// <exception cref="EngineException">Conflict.</exception>
    public static void Check(ContainerStore containers, HostNetworks networks, string name, IReadOnlyList<EndpointSettings> endpoints)
    {
        foreach (EndpointSettings settings in endpoints.Where(static endpoint => endpoint.NetworkName == NetworkDrivers.DefaultNetwork))
        {
            foreach (EndpointLink link in (settings.Links ?? []).Select(EndpointLink.Parse))
            {
                // Where it was removed the link went with it, as docker's does.
                if (TargetOf(containers, link) is { } target && !IsOn(target, settings.Network))
                {
                    throw EngineException.Conflict($"Cannot link to a non running container: /{containers.CurrentName(target)} AS /{name}/{link.Alias}: start it first, on the network {settings.NetworkName}");
                }
            }
        }

        bool IsOn(ContainerId target, string network) => MonitorLock.IsHeld(containers.Paths, target)
            && networks.StateOf(target.Hex)?.Endpoints.Any(endpoint => endpoint.Network == network) == true;
    }

    /// <summary>As docker's <c>HostConfig.Links</c> has them: <c>/TARGET:/CONTAINER/ALIAS</c> on the default network, on others as given.</summary>
    public static IReadOnlyList<string> Describe(ContainerStore containers, ContainerConfig config, string name)
    {
        List<string> texts = [];
        foreach (EndpointSettings settings in config.Host.Endpoints ?? [])
        {
            foreach (string text in settings.Links ?? [])
            {
                EndpointLink link = EndpointLink.Parse(text);
                if (settings.NetworkName != NetworkDrivers.DefaultNetwork)
                {
                    texts.Add(text);
                }
                else if (TargetOf(containers, link) is { } target)
                {
                    texts.Add($"/{containers.CurrentName(target)}:/{name}/{link.Alias}");
                }
            }
        }

        return texts;
    }

    private static EndpointLink Resolve(ContainerStore containers, EndpointLink link, NetworkConfig network)
    {
        if (!network.IsDefault)
        {
            return containers.TryFind(link.Target) is { } named ? link with { Target = containers.CurrentName(named) } : link;
        }

        ContainerId target = containers.TryFind(link.Target)
            ?? throw EngineException.Invalid($"could not get container for {link.Target}: {containers.NoSuchContainer(link.Target, null)}");
        return containers.ReadConfig(target).Host.IsHostNetwork
            ? throw EngineException.Invalid("conflicting options: host type networking can't be used with links. This would result in undefined behavior")
            : link with { Target = target.Hex };
    }

    /// <summary>Of a link on the default network; null where the container was removed.</summary>
    private static ContainerId? TargetOf(ContainerStore containers, EndpointLink link) =>
        ContainerId.TryParse(link.Target, out ContainerId id) && containers.Exists(id) ? id : null;

    private static EndpointLink Parse(string text)
    {
        try
        {
            return EndpointLink.Parse(text);
        }
        catch (NetworkException e)
        {
            throw NetworkFailure.Wrap(e);
        }
    }
}
