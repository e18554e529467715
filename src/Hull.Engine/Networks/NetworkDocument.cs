using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Engine.Networks;

/// <summary>A network's <c>inspect</c>, in the shape of Docker's API.</summary>
internal static class NetworkDocument
{
    /// <param name="members">The containers that are on it now.</param>
    public static JsonObject Of(NetworkConfig network, IEnumerable<NetworkMember> members)
    {
        JsonObject containers = [];
        foreach ((ContainerStatus container, Endpoint endpoint) in members)
        {
            containers[container.Id.Hex] = new JsonObject
            {
                ["Name"] = container.Name,
                ["EndpointID"] = endpoint.Id,
                ["MacAddress"] = endpoint.MacAddress ?? "",
                ["IPv4Address"] = endpoint.IPv4 is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{endpoint.IPv4}/{endpoint.PrefixLength4}"),
                ["IPv6Address"] = endpoint.IPv6 is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{endpoint.IPv6}/{endpoint.PrefixLength6}"),
            };
        }

        return new JsonObject
        {
            ["Name"] = network.Name,
            ["Id"] = network.Id,
            ["Created"] = network.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture),
            ["Scope"] = "local",
            ["Driver"] = network.Driver,
            ["EnableIPv4"] = !network.DisableIPv4,
            ["EnableIPv6"] = network.EnableIPv6,
            ["IPAM"] = new JsonObject { ["Driver"] = "default", ["Options"] = null, ["Config"] = Pools(network) },
            ["Internal"] = network.Internal,
            ["Attachable"] = network.Attachable,
            ["Ingress"] = false,
            ["ConfigFrom"] = new JsonObject { ["Network"] = "" },
            ["ConfigOnly"] = false,
            ["Containers"] = containers,
            ["Options"] = Engine.Map(network.Options),
            ["Labels"] = Engine.Map(network.Labels),
        };
    }

    private static JsonArray Pools(NetworkConfig network)
    {
        JsonArray pools = [];
        foreach (IpamConfig pool in network.Pools)
        {
            JsonObject document = new() { ["Subnet"] = pool.Subnet.ToString() };
            if (pool.Range is { } range)
            {
                document["IPRange"] = range.ToString();
            }

            if (pool.Gateway is { } gateway)
            {
                document["Gateway"] = gateway.ToString();
            }

            if (pool.Auxiliary is { } auxiliary)
            {
                document["AuxiliaryAddresses"] = Engine.Map(auxiliary);
            }

            pools.Add((JsonNode)document);
        }

        return pools;
    }
}
