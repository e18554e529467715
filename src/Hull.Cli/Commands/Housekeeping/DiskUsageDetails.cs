using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Templates;
using Hull.Engine;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands;

/// <summary><c>hull system df -v</c>: each image, container and volume with what it takes.</summary>
internal static class DiskUsageDetails
{
    private static readonly TemplateField[] ImageFields =
    [
        new("Repository", "REPOSITORY"), new("Tag", "TAG"), new("ID", "IMAGE ID"), new("CreatedSince", "CREATED"), new("Size", "SIZE"),
        new("SharedSize", "SHARED SIZE"), new("UniqueSize", "UNIQUE SIZE"), new("Containers", "CONTAINERS"),
    ];

    private static readonly TemplateField[] ContainerFields =
    [
        new("ID", "CONTAINER ID"), new("Image", "IMAGE"), new("Command", "COMMAND"), new("LocalVolumes", "LOCAL VOLUMES"), new("Size", "SIZE"),
        new("RunningFor", "CREATED"), new("Status", "STATUS"), new("Names", "NAMES"),
    ];

    private static readonly TemplateField[] VolumeFields = [new("Name", "VOLUME NAME"), new("Links", "LINKS"), new("Size", "SIZE")];

    /// <param name="format">A template for <c>.Images</c>, <c>.Containers</c> and <c>.Volumes</c>, <c>json</c>, or null for docker's tables.</param>
    /// <exception cref="TemplateException">The template does not fit.</exception>
    public static void Write(CliContext context, DiskUsage usage, string? format)
    {
        List<TemplateRow> images = [.. usage.Images.Select(image => ImageRow(image, context.Now))];
        List<TemplateRow> containers = [.. usage.Containers.Select(container => ContainerRowOf(context, container))];
        List<TemplateRow> volumes = [.. usage.Volumes.Select(VolumeRow)];
        if (format is not (null or "" or "table"))
        {
            TemplateValue all = TemplateValue.Map(
                ["Images", "Containers", "Volumes", "BuildCache"],
                [TemplateValue.List(images), TemplateValue.List(containers), TemplateValue.List(volumes), TemplateValue.List([])]);
            context.Output.WriteLine(Formats.Parse(format).Execute(all));
            return;
        }

        Table(context.Output, "Images space usage:", ImageFields, images);
        Table(context.Output, "Containers space usage:", ContainerFields, containers);
        Table(context.Output, "Local Volumes space usage:", VolumeFields, volumes);
        context.Output.WriteLine("Build cache usage: 0B");
    }

    private static void Table(TextWriter output, string heading, TemplateField[] fields, List<TemplateRow> rows)
    {
        output.WriteLine(heading);
        output.WriteLine();
        Listing.Parse(null, string.Join('\t', fields.Select(static field => $"{{{{.{field.Name}}}}}"))).Write(output, fields, rows);
        output.WriteLine();
    }

    private static TemplateRow ImageRow(ImageUsage usage, DateTimeOffset now)
    {
        Image image = usage.Image;
        ImageReference? name = image.References.FirstOrDefault(static reference => reference.Tag is not null)
            ?? (image.References.Count > 0 ? image.References[0] : null);
        return new TemplateRow(ImageFields, (field, _) => TemplateValue.Of(field switch
        {
            "Repository" => name?.FamiliarName ?? "<none>",
            "Tag" => name?.Tag ?? "<none>",
            "ID" => image.Id.Short,
            "CreatedSince" => image.Created <= DateTimeOffset.UnixEpoch ? "N/A" : Units.HumanDuration(now - image.Created) + " ago",
            "Size" => Units.HumanSize(image.Size, 3),
            "SharedSize" => Units.HumanSize(usage.SharedBytes, 3),
            "UniqueSize" => Units.HumanSize(image.Size - usage.SharedBytes, 3),
            _ => usage.Containers.ToString(CultureInfo.InvariantCulture),
        }));
    }

    private static TemplateRow ContainerRowOf(CliContext context, ContainerUsage usage)
    {
        TemplateRow row = new ContainerRow(usage.Status, truncate: true, context.Now, () => null, () => Units.HumanSize(usage.Bytes, 3)).ToRow();
        return new TemplateRow(ContainerFields, (field, argument) => field == "LocalVolumes"
            ? TemplateValue.Of(usage.Volumes.ToString(CultureInfo.InvariantCulture))
            : row.Call(field, argument));
    }

    private static TemplateRow VolumeRow(VolumeUsage usage) => new(VolumeFields, (field, _) => TemplateValue.Of(field switch
    {
        "Name" => usage.Volume.Name,
        "Links" => usage.Containers.ToString(CultureInfo.InvariantCulture),
        _ => Units.HumanSize(usage.Bytes, 3),
    }));
}
