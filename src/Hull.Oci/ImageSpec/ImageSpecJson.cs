using System.Text.Json.Serialization;

namespace Hull.Oci.ImageSpec;

/// <summary>The wire form of the image-spec documents: camel case, absent where null. Documents nest 32 deep at the
/// most, so that a hostile one cannot exhaust the stack.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32,
    WriteIndented = false)]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(ImageLayout))]
public sealed partial class ImageSpecJson : JsonSerializerContext;
