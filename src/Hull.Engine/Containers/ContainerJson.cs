using System.Text.Json;
using System.Text.Json.Serialization;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>The form of the container records on disk: camel case, zero values absent.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    WriteIndented = false,
    Converters = [typeof(ContainerIdConverter), typeof(DigestConverter), typeof(ContainerStateConverter)])]
[JsonSerializable(typeof(ContainerConfig))]
[JsonSerializable(typeof(ContainerStatus))]
internal sealed partial class ContainerJson : JsonSerializerContext;

internal sealed class ContainerIdConverter : JsonConverter<ContainerId>
{
    public override ContainerId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ContainerId.TryParse(reader.GetString(), out ContainerId id) ? id : throw new JsonException("not a container id");

    public override void Write(Utf8JsonWriter writer, ContainerId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Hex);
}

internal sealed class DigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out Digest digest) ? digest : throw new JsonException("not a digest");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

internal sealed class ContainerStateConverter : JsonConverter<ContainerState>
{
    public override ContainerState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ContainerStateNames.TryParse(reader.GetString(), out ContainerState state) ? state : throw new JsonException("not a container state");

    public override void Write(Utf8JsonWriter writer, ContainerState value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name());
}
