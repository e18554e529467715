using Hull.Oci;

namespace Hull.Images;

/// <summary>What a load brought.</summary>
/// <param name="Notes">What could not be kept or was skipped.</param>
public sealed record LoadResult(IReadOnlyList<LoadedImage> Images, IReadOnlyList<string> Notes);

/// <summary>One image of a load.</summary>
/// <param name="References">The names it got from the archive; none for an image by id.</param>
public sealed record LoadedImage(Image Image, IReadOnlyList<ImageReference> References);
