using System.Buffers;
using System.Net;
using System.Text.Json;
using Hull.Networking.Ports;
using Hull.Oci;

namespace Hull.Networking.Endpoints;

/// <summary>A running container's endpoints and published ports, as its runtime directory has them in <c>network.json</c>; it goes
/// when the container ends.</summary>
public sealed record ContainerNetworkState
{
    /// <summary>The first process of the run: whoever changes the container's networks finds their namespace by it.</summary>
    public int Pid { get; init; }

    public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];

    internal ReadOnlyMemory<byte> Write()
    {
        ArrayBufferWriter<byte> text = new(512);
        using Utf8JsonWriter json = new(text, RecordJson.Options);
        json.WriteStartObject();
        RecordJson.Number(json, "pid"u8, Pid);
        RecordJson.Items(json, "endpoints"u8, Endpoints, WriteEndpoint);
        RecordJson.Items(json, "ports"u8, Ports, WritePort);
        json.WriteEndObject();
        json.Flush();
        return text.WrittenMemory;
    }

    /// <exception cref="JsonException">Damaged.</exception>
    internal static ContainerNetworkState Read(ReadOnlySpan<byte> text)
    {
        Utf8JsonReader json = new(text);
        json.Read();
        RecordJson.Begin(ref json);
        ContainerNetworkState state = new();
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("pid"u8)) { state = state with { Pid = json.GetInt32() }; }
            else if (key.ValueTextEquals("endpoints"u8)) { state = state with { Endpoints = RecordJson.Items(ref json, ReadEndpoint) }; }
            else if (key.ValueTextEquals("ports"u8)) { state = state with { Ports = RecordJson.Items(ref json, ReadPort) }; }
            else { json.Skip(); }
        }

        return state;
    }

    private static void WriteEndpoint(Utf8JsonWriter json, Endpoint value)
    {
        RecordJson.Text(json, "id"u8, value.Id);
        RecordJson.Text(json, "network"u8, value.Network);
        RecordJson.Text(json, "networkName"u8, value.NetworkName);
        RecordJson.Text(json, "interface"u8, value.Interface);
        RecordJson.Text(json, "hostLink"u8, value.HostLink);
        RecordJson.Text(json, "mac"u8, value.MacAddress);
        RecordJson.Text(json, "ipv4"u8, value.IPv4?.ToString());
        RecordJson.Number(json, "prefix4"u8, value.PrefixLength4);
        RecordJson.Text(json, "gateway4"u8, value.Gateway4?.ToString());
        RecordJson.Text(json, "ipv6"u8, value.IPv6?.ToString());
        RecordJson.Number(json, "prefix6"u8, value.PrefixLength6);
        RecordJson.Text(json, "gateway6"u8, value.Gateway6?.ToString());
        RecordJson.Number(json, "gatewayPriority"u8, value.GatewayPriority);
        RecordJson.Texts(json, "names"u8, value.Names);
        RecordJson.Texts(json, "links"u8, value.Links.Count == 0 ? null : [.. value.Links.Select(static link => link.ToString())]);
    }

    private static Endpoint ReadEndpoint(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? id = null, network = null, networkName = null, link = null, hostLink = null, mac = null;
        IPAddress? ipv4 = null, gateway4 = null, ipv6 = null, gateway6 = null;
        int prefix4 = 0, prefix6 = 0, priority = 0;
        IReadOnlyList<string> names = [];
        IReadOnlyList<EndpointLink> links = [];
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("id"u8)) { id = json.GetString(); }
            else if (key.ValueTextEquals("network"u8)) { network = json.GetString(); }
            else if (key.ValueTextEquals("networkName"u8)) { networkName = json.GetString(); }
            else if (key.ValueTextEquals("interface"u8)) { link = json.GetString(); }
            else if (key.ValueTextEquals("hostLink"u8)) { hostLink = json.GetString(); }
            else if (key.ValueTextEquals("mac"u8)) { mac = json.GetString(); }
            else if (key.ValueTextEquals("ipv4"u8)) { ipv4 = Address(ref json); }
            else if (key.ValueTextEquals("prefix4"u8)) { prefix4 = json.GetInt32(); }
            else if (key.ValueTextEquals("gateway4"u8)) { gateway4 = Address(ref json); }
            else if (key.ValueTextEquals("ipv6"u8)) { ipv6 = Address(ref json); }
            else if (key.ValueTextEquals("prefix6"u8)) { prefix6 = json.GetInt32(); }
            else if (key.ValueTextEquals("gateway6"u8)) { gateway6 = Address(ref json); }
            else if (key.ValueTextEquals("gatewayPriority"u8)) { priority = json.GetInt32(); }
            else if (key.ValueTextEquals("names"u8)) { names = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("links"u8)) { links = [.. RecordJson.Texts(ref json).Select(EndpointLink.Parse)]; }
            else { json.Skip(); }
        }

        return new Endpoint
        {
            Id = id ?? throw new JsonException("an endpoint without an id"),
            Network = network ?? throw new JsonException("an endpoint without a network"),
            NetworkName = networkName ?? network,
            Interface = link ?? "",
            HostLink = hostLink,
            MacAddress = mac,
            IPv4 = ipv4,
            PrefixLength4 = prefix4,
            Gateway4 = gateway4,
            IPv6 = ipv6,
            PrefixLength6 = prefix6,
            Gateway6 = gateway6,
            GatewayPriority = priority,
            Names = names,
            Links = links,
        };
    }

    private static void WritePort(Utf8JsonWriter json, PublishedPort value)
    {
        RecordJson.Text(json, "protocol"u8, value.Protocol);
        RecordJson.Number(json, "container"u8, value.ContainerPort);
        RecordJson.Text(json, "address"u8, value.HostAddress.ToString());
        RecordJson.Number(json, "host"u8, value.HostPort);
    }

    private static PublishedPort ReadPort(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string protocol = "tcp";
        IPAddress address = IPAddress.Any;
        int container = 0, host = 0;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("protocol"u8)) { protocol = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("container"u8)) { container = json.GetInt32(); }
            else if (key.ValueTextEquals("address"u8)) { address = Address(ref json); }
            else if (key.ValueTextEquals("host"u8)) { host = json.GetInt32(); }
            else { json.Skip(); }
        }

        return new PublishedPort(protocol, container, address, host);
    }

    private static IPAddress Address(ref Utf8JsonReader json) =>
        IPAddress.TryParse(RecordJson.Required(ref json), out IPAddress? address) ? address : throw new JsonException("an address was expected");
}
