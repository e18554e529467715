namespace Hull.Oci.ImageSpec;

/// <summary>A list of manifests: the platforms of an image, or the images of a layout (image-index.md; Docker's
/// manifest list has the same members).</summary>
public sealed record ImageIndex
{
    /// <summary>On an entry of a layout's index: the name of the image, tag included or alone.</summary>
    public const string ReferenceName = "org.opencontainers.image.ref.name";

    /// <summary>On an entry of a layout's index: the full name, as containerd and Docker write it.</summary>
    public const string ContainerdName = "io.containerd.image.name";

    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>The file <c>oci-layout</c> (image-layout.md).</summary>
public sealed record ImageLayout
{
    public string? ImageLayoutVersion { get; init; }
}
