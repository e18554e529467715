using System.Text.Json.Serialization;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>What <c>layers/CHAINID/layer.json</c> holds.</summary>
internal sealed record LayerRecord
{
    [JsonConverter(typeof(DigestConverter))]
    public required Digest ChainId { get; init; }

    [JsonConverter(typeof(DigestConverter))]
    public required Digest DiffId { get; init; }

    /// <summary>Bytes of the regular files.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes of the uncompressed tar.</summary>
    public required long TarSize { get; init; }
}
