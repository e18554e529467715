using System.Text.Json.Serialization;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>What <c>images/records/HEX.json</c> holds: all that running an image needs, in one file, so that a start
/// reads neither manifest nor configuration. The record's existence is the image's.</summary>
internal sealed record ImageRecord
{
    [JsonConverter(typeof(DigestConverter))]
    public required Digest Id { get; init; }

    public required Descriptor Manifest { get; init; }

    /// <summary>The configuration's length in bytes.</summary>
    public required long ConfigSize { get; init; }

    public required IReadOnlyList<ImageLayer> Layers { get; init; }

    /// <summary>Without history and rootfs, which only <c>history</c> and <c>inspect</c> need.</summary>
    public required ImageConfig Config { get; init; }
}

/// <summary>One layer of an image.</summary>
public sealed record ImageLayer
{
    /// <summary>The stored tar, compressed or not.</summary>
    public required Descriptor Blob { get; init; }

    [JsonConverter(typeof(DigestConverter))]
    public required Digest DiffId { get; init; }

    [JsonConverter(typeof(DigestConverter))]
    public required Digest ChainId { get; init; }

    /// <summary>Bytes of the regular files.</summary>
    public required long UnpackedSize { get; init; }
}

/// <summary>The store's own documents.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(ImageRecord))]
[JsonSerializable(typeof(LayerRecord))]
[JsonSerializable(typeof(IReadOnlyList<LayerOrigin>))]
internal sealed partial class StoreJson : JsonSerializerContext;
