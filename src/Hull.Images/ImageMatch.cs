using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>What <c>ImageStore.Find</c> found, or why nothing.</summary>
public sealed record ImageMatch
{
    private ImageMatch(Image? image, ImageReference? reference, ImageError? error, string? problem) =>
        (Image, Reference, Error, Problem) = (image, reference, error, problem);

    public Image? Image { get; }

    /// <summary>The name in full; null where the text can only be an id.</summary>
    public ImageReference? Reference { get; }

    /// <summary>NotFound, or Invalid for a malformed name and for an id prefix of several images.</summary>
    public ImageError? Error { get; }

    /// <summary>Docker's words for what is wrong.</summary>
    public string? Problem { get; }

    /// <summary>The image.</summary>
    /// <exception cref="ImageException">There is none.</exception>
    public Image Required() => Image ?? throw new ImageException(Error!.Value, Problem!);

    internal static ImageMatch Found(Image image, ImageReference? reference) => new(image, reference, null, null);

    internal static ImageMatch None(string typed, ImageReference? reference) =>
        new(null, reference, ImageError.NotFound, $"No such image: {reference?.Familiar ?? typed}");

    /// <summary>There is such a name, but not for the platform asked for.</summary>
    internal static ImageMatch NotFor(ImageReference? reference, string problem) => new(null, reference, ImageError.NotFound, problem);

    /// <summary>Docker's words, with the platforms that are there.</summary>
    internal static string Describe(Image image, IEnumerable<PlatformImage> all, Platform wanted)
    {
        string name = image.RepoTags.Count > 0 ? image.RepoTags[0] : image.Id.Short;
        string here = string.Join(", ", all.Where(one => one.Image is not null).Select(one => one.Platform));
        return $"image {name} was found but does not provide the specified platform ({wanted}): it is for {here}";
    }

    internal static ImageMatch Bad(string problem) => new(null, null, ImageError.Invalid, problem);
}
