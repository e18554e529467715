using Hull.Oci;

namespace Hull.Images;

/// <summary>A name and what it stands for: an image, and the index that it came with.</summary>
/// <param name="Id">Of the image.</param>
/// <param name="Index">The digest of the index of images for several platforms that the image is one of; null where it came alone.</param>
/// <remarks>Both are in the text of one symbolic link, so that they change together, by one rename(2), and are read without a lock:
/// <c>../records/HEX.json</c>, or <c>../indexes/INDEXHEX/HEX.json</c>, where <c>indexes/INDEXHEX</c> is a link to <c>../records</c>.
/// Opening the name opens the record either way.</remarks>
internal sealed record NameTarget(ImageReference Reference, Digest Id, Digest? Index)
{
    public static string LinkText(Digest id, Digest? index) =>
        index is { } through ? $"../indexes/{through.Hex}/{id.Hex}.json" : $"../records/{id.Hex}.json";

    /// <summary>What a link's text says; null where it is none of the store's.</summary>
    public static (Digest Id, Digest? Index)? Parse(string link)
    {
        string[] parts = link.Split('/');
        if (parts.Length < 3 || !Digest.TryParse("sha256:" + Path.GetFileNameWithoutExtension(parts[^1]), out Digest id))
        {
            return null;
        }

        return (id, parts[^3] == "indexes" && Digest.TryParse("sha256:" + parts[^2], out Digest index) ? index : null);
    }
}
