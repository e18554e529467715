using Hull.Images;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Engine;

/// <summary>system gc.</summary>
public sealed partial class Engine
{
    /// <summary>Removes the images that the policy gives up, and what neither an image nor a container has. Nothing that a pull, a load or a
    /// container being made needs: while there is one, nothing goes at all.</summary>
    /// <param name="dryRun">Only tells what would go.</param>
    /// <exception cref="EngineException">Conflict: an image is being taken in.</exception>
    public Collected Collect(GarbagePolicy policy, bool dryRun) => Reading("collect garbage", () =>
    {
        IReadOnlyList<Image> images = policy.IsOff ? [] : GivenUp(policy);
        HashSet<Digest> ids = [.. images.Select(image => image.Id)];
        Garbage garbage = Images.CollectGarbage(ImageUses, ids, dryRun) ?? throw EngineException.Conflict(
            "another hull process takes in an image or makes a container just now: nothing was removed; run it again later");
        return new Collected([.. images.Select(NameOf)], garbage.Layers.Count, garbage.Blobs.Count, garbage.Bytes);
    });

    /// <summary>Unused images, the longest in the store first, until the disk would be emptier than the threshold.</summary>
    private List<Image> GivenUp(GarbagePolicy policy)
    {
        IReadOnlyList<ImageUse> uses = ImageUses();
        HashSet<Digest> used = [.. uses.Select(use => use.ImageId)];
        IReadOnlyList<Image> all = Images.List();
        DateTimeOffset latest = DateTimeOffset.UtcNow - (policy.MinAge ?? TimeSpan.Zero);
        (double usage, long total) = Files.FileSystemUse(Paths.DataRoot);
        double excess = policy.DiskThreshold is { } threshold ? (usage - threshold) * total : double.MaxValue;
        HashSet<Digest> needed = [.. uses.SelectMany(use => use.ChainIds)];
        Dictionary<Digest, int> holders = [];
        foreach (Digest layer in all.SelectMany(image => image.ChainIds.Distinct()))
        {
            holders[layer] = holders.GetValueOrDefault(layer) + 1;
        }

        List<Image> chosen = [];
        foreach (Image image in all
            .Select(image => new Arrival(image, Images.ArrivedAt(image)))
            .Where(arrival => !used.Contains(arrival.Image.Id) && arrival.Time <= latest)
            .OrderBy(arrival => arrival.Time)
            .Select(arrival => arrival.Image))
        {
            if (excess < 0)
            {
                break;
            }

            chosen.Add(image);
            foreach (ImageLayer layer in image.Layers.DistinctBy(layer => layer.ChainId))
            {
                if (--holders[layer.ChainId] == 0 && !needed.Contains(layer.ChainId))
                {
                    excess -= layer.UnpackedSize + layer.Blob.Size;
                }
            }
        }

        return chosen;
    }

    /// <summary>When an image came into the store.</summary>
    private sealed record Arrival(Image Image, DateTimeOffset Time);

    private static string NameOf(Image image) => image.RepoTags.Count > 0 ? image.RepoTags[0] : image.Id.Short;
}
