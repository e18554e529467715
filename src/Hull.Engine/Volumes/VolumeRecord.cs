using System.Text.Json.Serialization;

namespace Hull.Engine.Volumes;

/// <summary>What <c>volumes/NAME/volume.json</c> holds.</summary>
public sealed record VolumeRecord
{
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    /// <summary>Made for one container, without a name of the user's.</summary>
    public bool Anonymous { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(VolumeRecord))]
internal sealed partial class VolumeJson : JsonSerializerContext;
