using System.Text.Json.Serialization;

namespace Hull.Oci.ImageSpec;

/// <summary>Points to content: what it is, its hash, its length (image-spec descriptor.md).</summary>
public sealed record Descriptor
{
    public string? MediaType { get; init; }

    [JsonConverter(typeof(DigestConverter))]
    public required Digest Digest { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Other places to fetch from; hull sends no credentials there (CVE-2020-15157).</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public Platform? Platform { get; init; }

    public string? ArtifactType { get; init; }
}

/// <summary>What an image of an index runs on.</summary>
public sealed record Platform
{
    public string? Architecture { get; init; }

    public string? Os { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    public string? Variant { get; init; }

    /// <summary><c>linux/arm64/v8</c>.</summary>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}
