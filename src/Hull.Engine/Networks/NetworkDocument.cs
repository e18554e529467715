using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Engine.Networks;

/// <summary>A network's <c>inspect</c>, in the shape of Docker's API.</summary>
internal static class NetworkDocument
{
    /// <param name="endpoints">Of the containers that are on it now, by their ids and names.</param>
    public static JsonObject Of(NetworkConfig network, IEnumerable<(string Container, string Name, Endpoint Endpoint)> endpoints)
    {
        JsonObject containers = [];
        foreach ((string container, string name, Endpoint endpoint) in endpoints)
        {
            containers[container] = new JsonObject
            {
                ["Name"] = name,
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
