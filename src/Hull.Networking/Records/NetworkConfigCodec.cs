using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Hull.Networking.Addresses;
using Hull.Oci;

namespace Hull.Networking.Records;

/// <summary>A network's record as JSON, by hand: the start of each container reads one.</summary>
internal static class NetworkConfigCodec
{
    public static ReadOnlyMemory<byte> Write(NetworkConfig value)
    {
        ArrayBufferWriter<byte> text = new(512);
        using Utf8JsonWriter json = new(text, RecordJson.Options);
        json.WriteStartObject();
        RecordJson.Text(json, "id"u8, value.Id);
        RecordJson.Text(json, "name"u8, value.Name);
        RecordJson.Text(json, "driver"u8, value.Driver);
        RecordJson.Text(json, "created"u8, value.Created.ToString("O", CultureInfo.InvariantCulture));
        RecordJson.Flag(json, "internal"u8, value.Internal);
        RecordJson.Flag(json, "enableIPv6"u8, value.EnableIPv6);
        RecordJson.Flag(json, "disableIPv4"u8, value.DisableIPv4);
        RecordJson.Flag(json, "attachable"u8, value.Attachable);
        RecordJson.Items(json, "pools"u8, value.Pools, WritePool);
        RecordJson.Map(json, "options"u8, value.Options);
        RecordJson.Map(json, "labels"u8, value.Labels);
        json.WriteEndObject();
        json.Flush();
        return text.WrittenMemory;
    }

    /// <exception cref="JsonException">Damaged.</exception>
    public static NetworkConfig Read(ReadOnlySpan<byte> text)
    {
        Utf8JsonReader json = new(text);
        json.Read();
        RecordJson.Begin(ref json);
        string? id = null, name = null, driver = null;
        DateTimeOffset created = default;
        bool isInternal = false, ipv6 = false, noIPv4 = false, attachable = false;
        IReadOnlyList<IpamConfig> pools = [];
        IReadOnlyDictionary<string, string>? options = null, labels = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("id"u8)) { id = json.GetString(); }
            else if (key.ValueTextEquals("name"u8)) { name = json.GetString(); }
            else if (key.ValueTextEquals("driver"u8)) { driver = json.GetString(); }
            else if (key.ValueTextEquals("created"u8)) { created = json.GetDateTimeOffset(); }
            else if (key.ValueTextEquals("internal"u8)) { isInternal = json.GetBoolean(); }
            else if (key.ValueTextEquals("enableIPv6"u8)) { ipv6 = json.GetBoolean(); }
            else if (key.ValueTextEquals("disableIPv4"u8)) { noIPv4 = json.GetBoolean(); }
            else if (key.ValueTextEquals("attachable"u8)) { attachable = json.GetBoolean(); }
            else if (key.ValueTextEquals("pools"u8)) { pools = RecordJson.Items(ref json, ReadPool); }
            else if (key.ValueTextEquals("options"u8)) { options = RecordJson.Map(ref json); }
            else if (key.ValueTextEquals("labels"u8)) { labels = RecordJson.Map(ref json); }
            else { json.Skip(); }
        }

        return new NetworkConfig
        {
            Id = id ?? throw new JsonException("no id"),
            Name = name ?? throw new JsonException("no name"),
            Driver = driver ?? throw new JsonException("no driver"),
            Created = created,
            Internal = isInternal,
            EnableIPv6 = ipv6,
            DisableIPv4 = noIPv4,
            Attachable = attachable,
            Pools = pools,
            Options = options,
            Labels = labels,
        };
    }

    private static void WritePool(Utf8JsonWriter json, IpamConfig pool)
    {
        RecordJson.Text(json, "subnet"u8, pool.Subnet.ToString());
        RecordJson.Text(json, "range"u8, pool.Range?.ToString());
        RecordJson.Text(json, "gateway"u8, pool.Gateway?.ToString());
        RecordJson.Map(json, "auxiliary"u8, pool.Auxiliary);
    }

    private static IpamConfig ReadPool(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        Subnet? subnet = null, range = null;
        IPAddress? gateway = null;
        IReadOnlyDictionary<string, string>? auxiliary = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("subnet"u8)) { subnet = Subnet.Parse(RecordJson.Required(ref json)); }
            else if (key.ValueTextEquals("range"u8)) { range = Subnet.Parse(RecordJson.Required(ref json)); }
            else if (key.ValueTextEquals("gateway"u8)) { gateway = IPAddress.Parse(RecordJson.Required(ref json)); }
            else if (key.ValueTextEquals("auxiliary"u8)) { auxiliary = RecordJson.Map(ref json); }
            else { json.Skip(); }
        }

        return new IpamConfig
        {
            Subnet = subnet ?? throw new JsonException("a pool without a subnet"),
            Range = range,
            Gateway = gateway,
            Auxiliary = auxiliary,
        };
    }
}
