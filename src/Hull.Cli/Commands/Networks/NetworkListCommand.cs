using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Networking.Records;

namespace Hull.Cli.Commands.Networks;

/// <summary><c>hull network ls</c>.</summary>
internal static class NetworkListCommand
{
    private static readonly TemplateField[] Fields =
    [
        new("ID", "NETWORK ID"), new("Name", "NAME"), new("Driver", "DRIVER"), new("Scope", "SCOPE"), new("IPv4", "IPV4"), new("IPv6", "IPV6"),
        new("Internal", "INTERNAL"), new("Labels", "LABELS"), new("CreatedAt", "CREATED AT"), new("Label", "", InJson: false),
    ];

    public static HullCommand Create(CliContext context, string path)
    {
        Option<string[]?> filter = Flags.List("--filter", "Provide filter values (e.g. \"driver=bridge\")", "-f", "filter");
        Option<string?> format = Formats.TableOption();
        Option<bool?> whole = Flags.Switch("--no-trunc", "Do not truncate the output");
        Option<bool?> quiet = Flags.Switch("--quiet", "Only display network IDs", "-q");
        HullCommand command = new(path, "[OPTIONS]", "List networks", 0, 0) { AliasLine = "hull network ls, hull network list" };
        foreach (Option option in (ReadOnlySpan<Option>)[filter, format, whole, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            NetworkFilter wanted = Flags.Convert(string.Join(',', filters), filter, _ => NetworkFilter.Parse(filters));
            bool truncate = !result.IsOn(whole);
            HashSet<string>? unused = wanted.AsksForUse ? [.. context.Engine.UnusedNetworks().Select(static one => one.Id)] : null;
            Listing.Parse(result.TextOf(format), "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}", result.IsOn(quiet) ? "{{.ID}}" : null)
                .Write(context.Output, Fields, [.. context.Engine.ListNetworks()
                    .Where(network => wanted.Matches(network, unused?.Contains(network.Id) == true, context.Now))
                    .Select(network => new TemplateRow(Fields, (field, argument) => Value(network, field, argument, truncate)))]);
            return 0;
        });
        return command;
    }

    private static TemplateValue Value(NetworkConfig network, string field, string? argument, bool truncate) => TemplateValue.Of(field switch
    {
        "ID" => truncate ? network.ShortId : network.Id,
        "Name" => network.Name,
        "Driver" => network.Driver,
        "Scope" => "local",
        "IPv4" => Text(!network.DisableIPv4),
        "IPv6" => Text(network.EnableIPv6),
        "Internal" => Text(network.Internal),
        "Labels" => ContainerRow.JoinLabels(network.Labels),
        "CreatedAt" => ContainerRow.FormatTime(network.Created),
        _ => network.Labels?.GetValueOrDefault(argument ?? "") ?? "",
    });

    private static string Text(bool value) => value ? "true" : "false";
}
