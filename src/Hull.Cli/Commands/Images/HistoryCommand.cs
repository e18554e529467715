using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Images;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull history</c>: the steps that made an image, the latest first.</summary>
internal static class HistoryCommand
{
    internal const int CommandWidth = 45;

    private static readonly TemplateField[] Fields =
    [
        new("ID", "IMAGE"), new("CreatedSince", "CREATED"), new("CreatedAt", "CREATED AT"), new("CreatedBy", "CREATED BY"),
        new("Size", "SIZE"), new("Comment", "COMMENT"),
    ];

    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> format = Formats.TableOption();
        Option<bool?> human = Flags.Switch("--human", "Print sizes and dates in human readable format (default true)", "-H");
        Option<bool?> whole = Flags.Switch("--no-trunc", "Don't truncate output");
        Option<string?> platform = Flags.Text("--platform", "string", "Show history for the given platform");
        Option<bool?> quiet = Flags.Switch("--quiet", "Only show image IDs", "-q");
        HullCommand command = new(path, "[OPTIONS] IMAGE", "Show the history of an image", 1, 1)
        {
            AliasLine = "hull image history, hull history",
            Completion = ArgumentCompletion.Images,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[format, human, whole, platform, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            bool readable = result.IsOn(human, missing: true);
            Listing listing = Listing.Parse(
                result.TextOf(format),
                readable ? "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}" : "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
                result.IsOn(quiet) ? "{{.ID}}" : null);
            Image image = context.Images.Find(command.Positional(result)[0], PullCommand.ParsePlatform(result.TextOf(platform))).Required();
            IReadOnlyList<ImageStep> steps = ImageStep.Of(context.Images.ReadConfig(image).History, image.Layers);
            List<TemplateRow> rows = [];
            for (int i = 0; i < steps.Count; i++)
            {
                ImageStep step = steps[i];
                // Only the last step is an image of the store: those before it have no configuration of their own.
                string id = i > 0 ? "<missing>" : result.IsOn(whole) ? image.Id.ToString() : image.Id.Short;
                rows.Add(new TemplateRow(Fields, (field, _) => TemplateValue.Of(Text(step, id, field, readable, !result.IsOn(whole), context.Now))));
            }

            listing.Write(context.Output, Fields, rows);
            return 0;
        });
        return command;
    }

    private static string Text(ImageStep step, string id, string field, bool human, bool truncate, DateTimeOffset now) => field switch
    {
        "ID" => id,
        "CreatedBy" => truncate ? GoText.Ellipsis(Command(step), CommandWidth) : Command(step),
        "CreatedSince" when human => step.Step.Created is { } created && created > DateTimeOffset.UnixEpoch ? Units.HumanDuration(now - created) + " ago" : "N/A",
        "CreatedSince" or "CreatedAt" => (step.Step.Created ?? DateTimeOffset.UnixEpoch).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        "Size" => human ? Units.HumanSize(step.Size, 3) : step.Size.ToString(CultureInfo.InvariantCulture),
        _ => step.Step.Comment ?? "",
    };

    private static string Command(ImageStep step) => (step.Step.CreatedBy ?? "").Replace('\t', ' ');
}
