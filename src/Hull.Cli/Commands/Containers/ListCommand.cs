using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary><c>hull ps</c>.</summary>
internal static class ListCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> all = Flags.Switch("--all", "Show all containers (default shows just running)", "-a");
        Option<string[]?> filter = Flags.List("--filter", "Filter output based on conditions provided", "-f", "filter");
        Option<string?> format = Formats.TableOption();
        Option<string?> last = Flags.Text("--last", "int", "Show n last created containers (includes all states) (default -1)", "-n");
        Option<bool?> latest = Flags.Switch("--latest", "Show the latest created container (includes all states)", "-l");
        Option<bool?> whole = Flags.Switch("--no-trunc", "Don't truncate output");
        Option<bool?> quiet = Flags.Switch("--quiet", "Only display container IDs", "-q");
        Option<bool?> size = Flags.Switch("--size", "Display total file sizes", "-s");
        HullCommand command = new(path, "[OPTIONS]", "List containers", 0, 0)
        {
            AliasLine = "hull container ls, hull container list, hull container ps, hull ps",
        };
        foreach (Option option in (ReadOnlySpan<Option>)[all, filter, format, last, latest, whole, quiet, size])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            int count = result.IsOn(latest) ? 1 : result.IntegerOf(last, -1, int.MaxValue) ?? -1;
            ListRequest request = new(
                result.IsOn(all) || count >= 0, count, !result.IsOn(whole), result.IsOn(size), ContainerFilter.Parse(filters));
            string columns = request.Size ? ContainerRow.Columns + "\t{{.Size}}" : ContainerRow.Columns;
            return Run(context, request, Listing.Parse(result.TextOf(format), columns, result.IsOn(quiet) ? "{{.ID}}" : null));
        });
        return command;
    }

    private static int Run(CliContext context, ListRequest request, Listing listing)
    {
        CliContext.RequireRoot();
        List<TemplateRow> rows = [];
        foreach (ContainerStatus status in context.Engine.List(request.All, request.Filter))
        {
            if (request.Count >= 0 && rows.Count == request.Count)
            {
                break;
            }

            rows.Add(new ContainerRow(
                status,
                request.Truncate,
                context.Now,
                () => context.Engine.Containers.ReadConfig(status.Id),
                () => request.Size ? ContainerSize.Of(context, status.Id).Text : "0B").ToRow());
        }

        listing.Write(context.Output, ContainerRow.Fields, rows);
        return 0;
    }

    /// <param name="Count">At most so many; negative for all.</param>
    private sealed record ListRequest(bool All, int Count, bool Truncate, bool Size, ContainerFilter Filter);
}
