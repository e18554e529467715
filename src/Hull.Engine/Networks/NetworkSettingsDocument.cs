using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Networking.Endpoints;
using Hull.Networking.Ports;
using Hull.Networking.Records;

namespace Hull.Engine.Networks;

/// <summary>The NetworkSettings member of a container's <c>inspect</c>, in the shape of Docker's API (the fields that 1.52 dropped too:
/// templates of scripts use them).</summary>
internal static class NetworkSettingsDocument
{
    /// <param name="state">Null for a container that does not run, or is on no network of hull's.</param>
    public static JsonObject Of(ContainerConfig config, ContainerStatus status, ContainerNetworkState? state)
    {
        Endpoint? first = state?.Endpoints.FirstOrDefault(static endpoint => endpoint.NetworkName == "bridge");
        return new JsonObject
        {
            ["Bridge"] = "",
            ["SandboxID"] = state is null ? "" : config.Id.Hex,
            ["SandboxKey"] = status.Pid > 0 ? string.Create(CultureInfo.InvariantCulture, $"/proc/{status.Pid}/ns/net") : "",
            ["Ports"] = Ports(config, state),
            ["EndpointID"] = first?.Id ?? "",
            ["Gateway"] = Text(first?.Gateway4),
            ["GlobalIPv6Address"] = Text(first?.IPv6),
            ["GlobalIPv6PrefixLen"] = first?.PrefixLength6 ?? 0,
            ["IPAddress"] = Text(first?.IPv4),
            ["IPPrefixLen"] = first?.PrefixLength4 ?? 0,
            ["IPv6Gateway"] = Text(first?.Gateway6),
            ["MacAddress"] = first?.MacAddress ?? "",
            ["Networks"] = Networks(config, state),
        };
    }

    /// <summary><c>{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}</c>.</summary>
    private static JsonObject Ports(ContainerConfig config, ContainerNetworkState? state)
    {
        JsonObject ports = [];
        if (state is null)
        {
            return ports;
        }

        foreach (string exposed in config.Payload.ExposedPorts ?? [])
        {
            ports[exposed] = null;
        }

        foreach (IGrouping<string, PublishedPort> container in state.Ports.GroupBy(static port => port.Container))
        {
            JsonArray bindings = [];
            foreach (PublishedPort port in container)
            {
                bindings.Add((JsonNode)Binding(port.HostAddress.ToString(), port.HostPort));
            }

            ports[container.Key] = bindings;
        }

        return ports;
    }

    /// <summary>What was asked for, as HostConfig.PortBindings has it.</summary>
    public static JsonObject Bindings(HostConfig host)
    {
        JsonObject ports = [];
        foreach (IGrouping<string, PortRule> container in (host.Publish ?? []).SelectMany(PortRule.Parse).GroupBy(static rule => $"{rule.ContainerPort}/{rule.Protocol}"))
        {
            JsonArray bindings = [];
            foreach (PortRule rule in container)
            {
                bindings.Add((JsonNode)Binding(rule.HostAddress?.ToString() ?? "", rule.HostPort));
            }

            ports[container.Key] = bindings;
        }

        return ports;
    }

    private static JsonObject Binding(string address, int port) => new()
    {
        ["HostIp"] = address,
        ["HostPort"] = port == 0 ? "" : port.ToString(CultureInfo.InvariantCulture),
    };

    private static JsonObject Networks(ContainerConfig config, ContainerNetworkState? state)
    {
        JsonObject networks = [];
        foreach (EndpointSettings settings in config.Host.Endpoints ?? [])
        {
            networks[settings.NetworkName] = Network(config, settings, state?.Endpoints.FirstOrDefault(endpoint => endpoint.Network == settings.Network));
        }

        if (config.Host.Endpoints is null && NamespaceModes.Joined(config.Host.NetworkMode) is null && config.Host.NetworkMode is { Length: > 0 } mode)
        {
            networks[mode] = Network(config, new EndpointSettings { Network = "", NetworkName = mode }, endpoint: null);
        }

        return networks;
    }

    private static JsonObject Network(ContainerConfig config, EndpointSettings settings, Endpoint? endpoint) => new()
    {
        ["IPAMConfig"] = settings.IPv4 is null && settings.IPv6 is null ? null : new JsonObject
        {
            ["IPv4Address"] = settings.IPv4 ?? "",
            ["IPv6Address"] = settings.IPv6 ?? "",
        },
        ["Links"] = settings.NetworkName == NetworkDrivers.DefaultNetwork ? null : TextsOrNull(settings.Links),
        ["Aliases"] = TextsOrNull(settings.Aliases),
        ["DriverOpts"] = settings.Options is null ? null : Engine.Map(settings.Options),
        ["GwPriority"] = settings.GatewayPriority,
        ["NetworkID"] = settings.Network,
        ["EndpointID"] = endpoint?.Id ?? "",
        ["Gateway"] = Text(endpoint?.Gateway4),
        ["IPAddress"] = Text(endpoint?.IPv4),
        ["IPPrefixLen"] = endpoint?.PrefixLength4 ?? 0,
        ["MacAddress"] = endpoint?.MacAddress ?? settings.MacAddress ?? "",
        ["IPv6Gateway"] = Text(endpoint?.IPv6 is null ? null : endpoint.Gateway6),
        ["GlobalIPv6Address"] = Text(endpoint?.IPv6),
        ["GlobalIPv6PrefixLen"] = endpoint?.PrefixLength6 ?? 0,
        ["DNSNames"] = endpoint is null ? null : Engine.Texts([.. endpoint.Names, config.Id.Short]),
    };

    private static JsonArray? TextsOrNull(IReadOnlyList<string>? texts) => texts is { Count: > 0 } ? Engine.Texts(texts) : null;

    private static string Text(IPAddress? address) => address?.ToString() ?? "";
}
