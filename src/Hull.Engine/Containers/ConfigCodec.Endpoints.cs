using System.Text.Json;
using Hull.Networking.Endpoints;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>The networks that a container wants to be on.</summary>
internal static partial class ConfigCodec
{
    public static void WriteEndpoint(Utf8JsonWriter json, EndpointSettings value)
    {
        RecordJson.Text(json, "network"u8, value.Network);
        RecordJson.Text(json, "networkName"u8, value.NetworkName);
        RecordJson.Text(json, "iPv4"u8, value.IPv4);
        RecordJson.Text(json, "iPv6"u8, value.IPv6);
        RecordJson.Text(json, "macAddress"u8, value.MacAddress);
        RecordJson.Texts(json, "aliases"u8, value.Aliases);
        RecordJson.Texts(json, "links"u8, value.Links);
        RecordJson.Map(json, "options"u8, value.Options);
        RecordJson.Number(json, "gatewayPriority"u8, value.GatewayPriority);
    }

    public static EndpointSettings ReadEndpoint(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? network = null, name = null, ipv4 = null, ipv6 = null, mac = null;
        IReadOnlyList<string>? aliases = null, links = null;
        IReadOnlyDictionary<string, string>? options = null;
        int priority = 0;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("network"u8)) { network = json.GetString(); }
            else if (key.ValueTextEquals("networkName"u8)) { name = json.GetString(); }
            else if (key.ValueTextEquals("iPv4"u8)) { ipv4 = json.GetString(); }
            else if (key.ValueTextEquals("iPv6"u8)) { ipv6 = json.GetString(); }
            else if (key.ValueTextEquals("macAddress"u8)) { mac = json.GetString(); }
            else if (key.ValueTextEquals("aliases"u8)) { aliases = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("links"u8)) { links = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("options"u8)) { options = RecordJson.Map(ref json); }
            else if (key.ValueTextEquals("gatewayPriority"u8)) { priority = json.GetInt32(); }
            else { json.Skip(); }
        }

        return new EndpointSettings
        {
            Network = network ?? throw new JsonException("an endpoint without a network"),
            NetworkName = name ?? network,
            IPv4 = ipv4,
            IPv6 = ipv6,
            MacAddress = mac,
            Aliases = aliases,
            Links = links,
            Options = options,
            GatewayPriority = priority,
        };
    }
}
