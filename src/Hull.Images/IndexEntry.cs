using Hull.Images.Registry;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>One entry of an index: an image for a platform, or something that goes with one, such as an attestation.</summary>
/// <param name="Descriptor">What the index says; the platform of the index around it where it says none.</param>
/// <param name="Content">The manifest; null where the store does not have it.</param>
/// <param name="Manifest">Null also where the document is none.</param>
/// <param name="IsHere">Whether the store has all that a registry must be given: manifest, configuration, and the layers that may be passed on.</param>
internal sealed record IndexEntry(Descriptor Descriptor, byte[]? Content, ImageManifest? Manifest, bool IsHere)
{
    /// <summary>Whether the entry is an image that the store unpacks. What is not is kept as blobs: attestations, whose platform is
    /// unknown/unknown, images for other systems, artifacts.</summary>
    public bool IsRunnable => IsForLinux(Descriptor) && (Manifest is null || IsImage(Manifest));

    public static bool IsForLinux(Descriptor entry) => entry.Platform?.Os is null or "" or "linux";

    public static bool IsImage(ImageManifest manifest) =>
        MediaTypes.IsImageConfig(manifest.Config.MediaType)
        && manifest.Layers.All(layer => MediaTypes.IsLayer(layer.MediaType) && !layer.MediaType!.EndsWith("+encrypted", StringComparison.Ordinal));

    /// <param name="content">The document of the store; null where it has none.</param>
    public static IndexEntry Of(BlobStore blobs, Descriptor descriptor, byte[]? content)
    {
        ImageManifest? manifest = content is null ? null : TryParse(content, descriptor);
        return new IndexEntry(descriptor, content, manifest, manifest is not null && Needed(manifest).All(blob => blobs.TrySize(blob.Digest) == blob.Size));
    }

    /// <summary>What a registry must have before the manifest.</summary>
    public static IEnumerable<Descriptor> Needed(ImageManifest manifest) =>
        manifest.Layers.Where(layer => !PushedManifest.IsForeign(layer)).Append(manifest.Config).DistinctBy(blob => blob.Digest);

    private static ImageManifest? TryParse(byte[] content, Descriptor descriptor)
    {
        try
        {
            return ImageDocuments.ParseManifest(content, $"manifest {descriptor.Digest}");
        }
        catch (ImageSpecException)
        {
            // An entry that is no manifest has nothing to run, and nothing to send.
            return null;
        }
    }
}
