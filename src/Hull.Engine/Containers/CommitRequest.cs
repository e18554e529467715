using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Engine.Containers;

/// <summary>How an image is to be made of a container.</summary>
public sealed record CommitRequest
{
    public ImageReference? Reference { get; init; }

    public string? Author { get; init; }

    public string? Message { get; init; }

    /// <summary>Freeze the container's processes while its files are read.</summary>
    public bool Pause { get; init; } = true;

    /// <summary>One layer with all that the container sees, in place of its image's layers.</summary>
    public bool Squash { get; init; }

    /// <summary>Changes what a container of the image starts with; given what this container started with.</summary>
    public Func<ImageDefaults, ImageDefaults> Change { get; init; } = static defaults => defaults;
}
