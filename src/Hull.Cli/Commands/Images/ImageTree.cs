using Hull.Cli.Output;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull images --tree</c>: images, and below each the platform that the store has of it.</summary>
internal static class ImageTree
{
    public static void Write(CliContext context, IEnumerable<Image> images)
    {
        HashSet<Digest> used = [.. context.Engine.ImageUses().Select(static use => use.ImageId)];
        context.Output.WriteLine("U: in use by a container");
        context.Output.WriteLine();
        TabWriter table = new();
        table.AddRow("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA");
        foreach (Image image in images)
        {
            List<string> names = image.RepoTags.Count > 0 ? [.. image.RepoTags] : ["<untagged>"];
            long content = image.Layers.Sum(static layer => layer.Blob.Size);
            string[] sizes = [Units.HumanSize(image.Size + content, 3), Units.HumanSize(content, 3), used.Contains(image.Id) ? "U" : ""];
            foreach (string name in names)
            {
                table.AddRow([name, image.Id.Short, .. sizes]);
            }

            table.AddRow([$"└─ {PlatformMatch.Of(image.Config)}", image.ManifestDigest.Short, .. sizes]);
        }

        table.WriteTo(context.Output);
    }
}
