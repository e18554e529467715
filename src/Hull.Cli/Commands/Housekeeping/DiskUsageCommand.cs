using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary><c>hull system df</c>: what the store takes on disk.</summary>
internal static class DiskUsageCommand
{
    private static readonly TemplateField[] Fields =
    [
        new("Type", "TYPE"), new("TotalCount", "TOTAL"), new("Active", "ACTIVE"), new("Size", "SIZE"), new("Reclaimable", "RECLAIMABLE"),
    ];

    public static HullCommand Create(CliContext context)
    {
        Option<string?> format = Formats.TableOption();
        Option<bool?> verbose = Flags.Switch("--verbose", "Show detailed information on space usage", "-v");
        HullCommand command = new("system df", "[OPTIONS]", "Show disk usage", 0, 0);
        command.Add(format);
        command.Add(verbose);
        command.SetAction(result =>
        {
            string? template = result.TextOf(format);
            Listing listing = Listing.Parse(template, "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}");
            CliContext.RequireRoot();
            DiskUsage usage = context.Engine.DiskUsage();
            if (result.IsOn(verbose))
            {
                DiskUsageDetails.Write(context, usage, template);
            }
            else
            {
                listing.Write(context.Output, Fields, Summary(usage).Select(static row => row.ToRow()));
            }

            return 0;
        });
        return command;
    }

    private static IEnumerable<Row> Summary(DiskUsage usage)
    {
        yield return new Row(
            "Images", usage.Images.Count, usage.Images.Count(static image => image.Containers > 0), usage.LayerBytes, usage.LayerBytes - usage.UsedLayerBytes, true);
        yield return new Row(
            "Containers",
            usage.Containers.Count,
            usage.Containers.Count(static container => container.Status.IsLive),
            usage.Containers.Sum(static container => container.Bytes),
            usage.Containers.Where(static container => !container.Status.IsLive).Sum(static container => container.Bytes),
            true);
        yield return new Row(
            "Local Volumes",
            usage.Volumes.Count,
            usage.Volumes.Count(static volume => volume.Containers > 0),
            usage.Volumes.Sum(static volume => volume.Bytes),
            usage.Volumes.Where(static volume => volume.Containers == 0).Sum(static volume => volume.Bytes),
            true);
        yield return new Row("Build Cache", 0, 0, 0, 0, false);
    }

    /// <param name="WithShare">Whether the part that can be freed is also shown in percent.</param>
    private sealed record Row(string Type, int Total, int Active, long Bytes, long Reclaimable, bool WithShare)
    {
        public TemplateRow ToRow() => new(Fields, (field, _) => TemplateValue.Of(field switch
        {
            "Type" => Type,
            "TotalCount" => Total.ToString(CultureInfo.InvariantCulture),
            "Active" => Active.ToString(CultureInfo.InvariantCulture),
            "Size" => Units.HumanSize(Bytes),
            _ => WithShare && Bytes > 0 ? $"{Units.HumanSize(Reclaimable)} ({Reclaimable * 100 / Bytes}%)" : Units.HumanSize(Reclaimable),
        }));
    }
}
