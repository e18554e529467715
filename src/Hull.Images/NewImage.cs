using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>What an image that is made of a container, or of another image, says of itself.</summary>
public sealed record NewImage
{
    public required DateTimeOffset Created { get; init; }

    public string? Author { get; init; }

    /// <summary>Of the last step of its history.</summary>
    public string? Comment { get; init; }

    /// <summary>The command of the last step of its history.</summary>
    public string? CreatedBy { get; init; }

    /// <summary>What a container of it starts with.</summary>
    public required ImageDefaults Defaults { get; init; }

    /// <summary>The name it gets, taken from the image that has it; null: none.</summary>
    public ImageReference? Reference { get; init; }
}
