using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull images</c>: a line for each name of each image.</summary>
internal static class ImagesCommand
{
    private const string None = "<none>";

    private static readonly TemplateField[] Fields =
    [
        new("ID", "IMAGE ID"), new("Repository", "REPOSITORY"), new("Tag", "TAG"), new("Digest", "DIGEST"),
        new("CreatedSince", "CREATED"), new("CreatedAt", "CREATED AT"), new("Size", "SIZE"), new("Containers", "CONTAINERS"),
        new("SharedSize", "SHARED SIZE"), new("UniqueSize", "UNIQUE SIZE"), new("VirtualSize", "SIZE", InJson: false),
    ];

    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> all = Flags.Switch("--all", "Show all images (default hides intermediate images)", "-a");
        Option<bool?> digests = Flags.Switch("--digests", "Show digests");
        Option<string[]?> filter = Flags.List("--filter", "Filter output based on conditions provided", "-f", "filter");
        Option<string?> format = Formats.TableOption();
        Option<bool?> whole = Flags.Switch("--no-trunc", "Don't truncate output");
        Option<bool?> quiet = Flags.Switch("--quiet", "Only show image IDs", "-q");
        Option<bool?> tree = Flags.Switch("--tree", "List images with their platforms, as a tree");
        HullCommand command = new(path, "[OPTIONS] [REPOSITORY[:TAG]]", "List images", 0, 1)
        {
            AliasLine = "hull image ls, hull image list, hull images",
            Completion = ArgumentCompletion.Images,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[all, digests, filter, format, whole, quiet, tree])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string columns = result.IsOn(digests)
                ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
                : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
            string[] filters = result.ListOf(filter) ?? [];
            string? reference = command.Positional(result) is [string wanted] ? wanted : null;
            ImageFilter chosen = Flags.Convert(string.Join(',', filters), filter, _ => ImageFilter.Parse(filters));
            if (result.IsOn(tree))
            {
                if (((Option[])[digests, format, whole, quiet]).FirstOrDefault(option => result.IsGiven(option)) is { } other)
                {
                    throw new UsageException($"{other.Name} is not yet supported with --tree") { ExitCode = 1 };
                }

                ImageTree.Write(context, Chosen(context, chosen).Where(image => reference is null || image.References.Any(name => ImageFilter.IsNamed(name, reference))));
                return 0;
            }

            Listing listing = Listing.Parse(result.TextOf(format), columns, result.IsOn(quiet) ? "{{.ID}}" : null);
            List<TemplateRow> rows = [];
            // The images for other platforms are below their name, in the tree.
            foreach (Image image in Chosen(context, chosen).Where(image => result.IsOn(all) || !image.IsSibling))
            {
                AddRows(rows, image, reference, !result.IsOn(whole), context.Now);
            }

            listing.Write(context.Output, Fields, rows);
            return 0;
        });
        return command;
    }

    /// <summary>The newest first.</summary>
    private static IEnumerable<Image> Chosen(CliContext context, ImageFilter filter)
    {
        filter.Bind(context.Images);
        return context.Images.List().Where(image => filter.Matches(image, context.Now));
    }

    private static void AddRows(List<TemplateRow> rows, Image image, string? wanted, bool truncate, DateTimeOffset now)
    {
        int before = rows.Count;
        foreach (ImageReference name in image.References)
        {
            if (name.Tag is { } tag && (wanted is null || ImageFilter.IsNamed(name, wanted)))
            {
                string digest = DigestOf(image, name.FamiliarName);
                rows.Add(new TemplateRow(Fields, (field, _) => TemplateValue.Of(Text(image, name.FamiliarName, tag, digest, field, truncate, now))));
            }
        }

        // Names with a digest only, and images without any name.
        if (rows.Count == before && image.RepoTags.Count == 0)
        {
            ImageReference? name = image.References.Count > 0 ? image.References[0] : null;
            if (wanted is null || (name is not null && ImageFilter.IsNamed(name, wanted)))
            {
                rows.Add(new TemplateRow(Fields, (field, _) => TemplateValue.Of(
                    Text(image, name?.FamiliarName ?? None, None, name?.Digest?.ToString() ?? None, field, truncate, now))));
            }
        }
    }

    private static string DigestOf(Image image, string repository)
    {
        foreach (ImageReference name in image.References)
        {
            if (name.Digest is { } digest && name.FamiliarName == repository)
            {
                return digest.ToString();
            }
        }

        return None;
    }

    private static string Text(
        Image image, string repository, string tag, string digest, string field, bool truncate, DateTimeOffset now) => field switch
        {
            "ID" => truncate ? image.Id.Short : image.Id.ToString(),
            "Repository" => repository,
            "Tag" => tag,
            "Digest" => digest,
            "CreatedSince" => image.Created <= DateTimeOffset.UnixEpoch ? "N/A" : Units.HumanDuration(now - image.Created) + " ago",
            "CreatedAt" => ContainerRow.FormatTime(image.Created),
            "Size" or "VirtualSize" => Units.HumanSize(image.Size, 3),
            _ => "N/A",
        };
}
