using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine.Volumes;

namespace Hull.Cli.Commands.Volumes;

/// <summary><c>hull volume ls</c>.</summary>
internal static class VolumeListCommand
{
    private static readonly string[] FilterKeys = ["dangling", "driver", "label", "label!", "name"];

    private static readonly TemplateField[] Fields =
    [
        new("Name", "VOLUME NAME"), new("Driver", "DRIVER"), new("Scope", "SCOPE"), new("Mountpoint", "MOUNTPOINT"), new("Labels", "LABELS"),
        new("Label", "", InJson: false),
    ];

    public static HullCommand Create(CliContext context, string path)
    {
        Option<string[]?> filter = Flags.List("--filter", "Provide filter values (e.g. \"dangling=true\")", "-f", "filter");
        Option<string?> format = Formats.TableOption();
        Option<bool?> quiet = Flags.Switch("--quiet", "Only display volume names", "-q");
        HullCommand command = new(path, "[OPTIONS]", "List volumes", 0, 0) { AliasLine = "hull volume ls, hull volume list" };
        foreach (Option option in (ReadOnlySpan<Option>)[filter, format, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            List<FilterTerm> wanted = Flags.Convert(string.Join(',', filters), filter, _ => FilterTerm.ParseAll(filters, FilterKeys));
            CliContext.RequireRoot();
            Lazy<IReadOnlySet<string>> used = new(context.Engine.UsedVolumes);
            Listing.Parse(result.TextOf(format), "{{.Driver}}\t{{.Name}}", result.IsOn(quiet) ? "{{.Name}}" : null)
                .Write(context.Output, Fields, [.. context.Engine.Volumes.List()
                    .Where(volume => wanted.TrueForAll(one => Matches(volume, one, used)))
                    .Select(volume => new TemplateRow(Fields, (field, argument) => Value(context, volume, field, argument)))]);
            return 0;
        });
        return command;
    }

    private static bool Matches(VolumeRecord volume, FilterTerm wanted, Lazy<IReadOnlySet<string>> used) => wanted.Key switch
    {
        "dangling" => !used.Value.Contains(volume.Name) == wanted.Value is "true" or "1",
        "driver" => wanted.Value == VolumeDocument.Driver,
        "label" => LabelFilter.Has(volume.Labels, wanted.Value),
        "label!" => !LabelFilter.Has(volume.Labels, wanted.Value),
        _ => volume.Name.Contains(wanted.Value, StringComparison.Ordinal),
    };

    private static TemplateValue Value(CliContext context, VolumeRecord volume, string field, string? argument) => TemplateValue.Of(field switch
    {
        "Name" => volume.Name,
        "Driver" => VolumeDocument.Driver,
        "Scope" => VolumeDocument.Scope,
        "Mountpoint" => context.Engine.Volumes.DataDirectory(volume.Name),
        "Labels" => ContainerRow.JoinLabels(volume.Labels),
        _ => volume.Labels?.GetValueOrDefault(argument ?? "") ?? "",
    });
}
