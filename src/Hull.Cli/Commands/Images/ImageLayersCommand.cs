using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Images;
using Hull.Images.Diffing;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull image layers</c>: what each layer brings, and what of it is wasted.</summary>
internal static class ImageLayersCommand
{
    private static readonly TemplateField[] Fields =
    [
        new("Layer", "LAYER"), new("Files", "FILES"), new("Size", "SIZE"), new("HiddenFiles", "HIDDEN FILES"), new("Wasted", "WASTED"),
        new("CreatedBy", "CREATED BY"),
    ];

    public static HullCommand Create(CliContext context)
    {
        Option<string?> format = Formats.TableOption();
        Option<bool?> whole = Flags.Switch("--no-trunc", "Don't truncate output");
        HullCommand command = new("image layers", "[OPTIONS] IMAGE", "Show what each layer of an image brings, the bottom one first, and what of it later layers hide", 1, 1)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.Add(format);
        command.Add(whole);
        command.SetAction(result =>
        {
            Listing listing = Listing.Parse(
                result.TextOf(format), "{{.Layer}}\t{{.Files}}\t{{.Size}}\t{{.HiddenFiles}}\t{{.Wasted}}\t{{.CreatedBy}}");
            CliContext.RequireRoot();
            Image image = context.Images.Find(command.Positional(result)[0]).Required();
            IReadOnlyList<LayerUse> layers = context.Images.CountLayers(image);
            IReadOnlyList<ImageHistory> steps = [.. (context.Images.ReadConfig(image).History ?? []).Where(static step => step.EmptyLayer != true)];
            listing.Write(context.Output, Fields, layers.Select((layer, i) =>
                Row(layer, i < steps.Count ? steps[i].CreatedBy ?? "" : "", !result.IsOn(whole))));
            if (result.TextOf(format) is null)
            {
                context.Output.WriteLine(
                    $"wasted: {Units.HumanSize(layers.Sum(static layer => layer.HiddenBytes), 3)} of {Units.HumanSize(layers.Sum(static layer => layer.Bytes), 3)}");
            }

            return 0;
        });
        return command;
    }

    private static TemplateRow Row(LayerUse layer, string createdBy, bool truncate) => new(Fields, (field, _) => TemplateValue.Of(field switch
    {
        "Layer" => truncate ? layer.Layer.DiffId.Short : layer.Layer.DiffId.ToString(),
        "Files" => layer.Files.ToString(CultureInfo.InvariantCulture),
        "Size" => Units.HumanSize(layer.Bytes, 3),
        "HiddenFiles" => layer.HiddenFiles.ToString(CultureInfo.InvariantCulture),
        "Wasted" => Units.HumanSize(layer.HiddenBytes, 3),
        _ => truncate ? GoText.Ellipsis(createdBy.Replace('\t', ' '), HistoryCommand.CommandWidth) : createdBy,
    }));
}
