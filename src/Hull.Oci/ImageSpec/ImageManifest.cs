namespace Hull.Oci.ImageSpec;

/// <summary>One image: its configuration and its layers, the bottom one first (manifest.md; Docker's schema 2 has the
/// same members).</summary>
public sealed record ImageManifest
{
    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public required Descriptor Config { get; init; }

    public required IReadOnlyList<Descriptor> Layers { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
