using System.CommandLine;
using System.Globalization;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Networking;
using Hull.Networking.Endpoints;
using Hull.Networking.Ports;

namespace Hull.Cli.Commands;

/// <summary>The flags about networks and ports.</summary>
internal sealed partial class ContainerFlags
{
    /// <summary>The network of containers that name none, for hosts whose kernel cannot have the default bridge: <c>none</c>.</summary>
    private const string DefaultNetworkVariable = "HULL_DEFAULT_NETWORK";

    private HostConfig WithNetworks(HostConfig host, ParseResult result)
    {
        List<EndpointSettings> endpoints = [.. (result.ListOf(_network) ?? []).Select(ReadNetwork)];
        if (endpoints.Count == 0 && Environment.GetEnvironmentVariable(DefaultNetworkVariable) is { Length: > 0 } other)
        {
            endpoints.Add(Named(other));
        }

        bool hasOwn = result.IsGiven(_ip) || result.IsGiven(_ip6) || result.IsGiven(_macAddress) || result.IsGiven(_networkAlias) || result.IsGiven(_link);
        if (endpoints.Count == 0 && hasOwn)
        {
            endpoints.Add(Named("bridge"));
        }

        if (hasOwn)
        {
            Check(endpoints.Count == 1, "conflicting options: with several networks, addresses, aliases and links belong to one of them: --network name=NET,ip=…,alias=…, or hull network connect");
            endpoints[0] = endpoints[0] with
            {
                IPv4 = result.TextOf(_ip) ?? endpoints[0].IPv4,
                IPv6 = result.TextOf(_ip6) ?? endpoints[0].IPv6,
                MacAddress = result.TextOf(_macAddress) ?? endpoints[0].MacAddress,
                Aliases = result.ListOf(_networkAlias) ?? endpoints[0].Aliases,
                Links = result.ListOf(_link),
            };
        }

        string? mode = endpoints.Count == 0 ? null : endpoints[0].NetworkName;
        // What is nothing but a mode goes as one: none, host, container:NAME.
        bool plain = endpoints.Count == 0 || (endpoints.Count == 1 && endpoints[0] == Named(mode!));
        return host with
        {
            NetworkMode = mode,
            Endpoints = plain ? null : endpoints,
            Publish = result.ListOf(_publish),
            PublishAll = result.IsOn(_publishAll),
        };
    }

    private static EndpointSettings Named(string network) => new() { Network = network, NetworkName = network };

    /// <summary><c>NAME</c>, or docker's long form <c>name=NAME,ip=…,ip6=…,mac-address=…,alias=…,driver-opt=K=V,gw-priority=N</c>.</summary>
    private static EndpointSettings ReadNetwork(string text)
    {
        if (!text.Contains('=', StringComparison.Ordinal))
        {
            return Named(text);
        }

        string? name = null;
        EndpointSettings read = Named("");
        foreach (string field in text.Split(','))
        {
            string[] pair = field.Split('=', 2);
            string value = pair.Length == 2 ? pair[1].Trim() : throw EngineException.Invalid($"invalid field {field} in --network: expected KEY=VALUE");
            switch (pair[0].Trim().ToLowerInvariant())
            {
                case "name":
                    name = value;
                    break;
                case "ip":
                    read = read with { IPv4 = value };
                    break;
                case "ip6":
                    read = read with { IPv6 = value };
                    break;
                case "mac-address":
                    read = read with { MacAddress = value };
                    break;
                case "alias":
                    read = read with { Aliases = [.. read.Aliases ?? [], value] };
                    break;
                case "gw-priority":
                    Check(int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int priority), $"invalid gw-priority ({value}) in --network: expected a number");
                    read = read with { GatewayPriority = priority };
                    break;
                case "driver-opt":
                    string[] option = value.Split('=', 2);
                    Check(option.Length == 2, $"invalid driver-opt {value} in --network: expected KEY=VALUE");
                    read = read with { Options = new Dictionary<string, string>(read.Options ?? new Dictionary<string, string>()) { [option[0]] = option[1] } };
                    break;
                default:
                    throw EngineException.Invalid($"invalid field key {pair[0]} in --network: expected name, ip, ip6, mac-address, alias, gw-priority or driver-opt");
            }
        }

        return name is { Length: > 0 } ? read with { Network = name, NetworkName = name } : throw EngineException.Invalid($"--network {text}: the field name= is missing");
    }

    /// <summary>Docker exposes what is published.</summary>
    private List<string>? ReadPorts(ParseResult result)
    {
        List<string> ports = [];
        try
        {
            ports.AddRange((result.ListOf(_expose) ?? []).SelectMany(PortRule.ParseExposed));
            ports.AddRange((result.ListOf(_publish) ?? []).SelectMany(PortRule.Parse).Select(static rule => $"{rule.ContainerPort}/{rule.Protocol}"));
        }
        catch (NetworkException e)
        {
            throw EngineException.Invalid(e.Message, e);
        }

        return ports.Count > 0 ? [.. ports.Distinct()] : null;
    }

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw EngineException.Invalid(words);
        }
    }
}
