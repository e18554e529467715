using Hull.Cli.Output;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull images --tree</c>: images, and below each name the platforms that its index has, or the one that the image is for.</summary>
internal static class ImageTree
{
    public static void Write(CliContext context, IEnumerable<Image> images)
    {
        HashSet<Digest> used = [.. context.Engine.ImageUses().Select(static use => use.ImageId)];
        context.Output.WriteLine("U: in use by a container, -: not here");
        context.Output.WriteLine();
        TabWriter table = new();
        table.AddRow("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA");
        foreach (Image image in images.Where(static image => !image.IsSibling))
        {
            // Names that came with one index stand for the same platforms.
            IReadOnlyList<ImageReference> tags = [.. image.References.Where(static name => name.Tag is not null)];
            foreach (IGrouping<Digest?, ImageReference> names in tags.GroupBy(context.Images.IndexOf))
            {
                AddRows(table, [.. names.Select(static name => name.Familiar)], context.Images.Find(names.First().ToString()).Image ?? image, context.Images, used);
            }

            if (tags.Count == 0)
            {
                AddRows(table, ["<untagged>"], image, context.Images, used);
            }
        }

        table.WriteTo(context.Output);
    }

    private static void AddRows(TabWriter table, IReadOnlyList<string> names, Image image, ImageStore store, HashSet<Digest> used)
    {
        IReadOnlyList<PlatformImage> platforms = store.PlatformsOf(image);
        IReadOnlyList<Image> here = [.. platforms.Select(static one => one.Image).OfType<Image>()];
        foreach (string name in names)
        {
            table.AddRow([name, image.Id.Short, .. Sizes(here, used)]);
        }

        for (int i = 0; i < platforms.Count; i++)
        {
            (Oci.ImageSpec.Platform platform, Digest manifest, Image? own) = platforms[i];
            string branch = i == platforms.Count - 1 ? "└─" : "├─";
            table.AddRow([$"{branch} {platform}", manifest.Short, .. own is null ? ["0B", "0B", "-"] : Sizes([own], used)]);
        }
    }

    /// <summary>Of all the images together; a layer that two have counts once.</summary>
    private static string[] Sizes(IReadOnlyList<Image> images, HashSet<Digest> used)
    {
        long content = images.SelectMany(static image => image.Layers).DistinctBy(static layer => layer.Blob.Digest).Sum(static layer => layer.Blob.Size);
        long unpacked = images.SelectMany(static image => image.Layers).DistinctBy(static layer => layer.ChainId).Sum(static layer => layer.UnpackedSize);
        return [Units.HumanSize(unpacked + content, 3), Units.HumanSize(content, 3), images.Any(image => used.Contains(image.Id)) ? "U" : ""];
    }
}
