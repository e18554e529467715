using System.CommandLine;
using Hull.Cli.Commands.Networks;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull system prune</c>: everything that is not used.</summary>
internal static class SystemPruneCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<bool?> all = Flags.Switch("--all", "Remove all unused images not just dangling ones", "-a");
        Option<string[]?> filter = Flags.List("--filter", "Provide filter values (e.g. \"label=<key>=<value>\")", type: "filter");
        Option<bool?> force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        Option<bool?> volumes = Flags.Switch("--volumes", "Prune anonymous volumes");
        HullCommand command = new("system prune", "[OPTIONS]", "Remove unused data", 0, 0);
        foreach (Option option in (ReadOnlySpan<Option>)[all, filter, force, volumes])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            PruneFilter wanted = Flags.Convert(
                string.Join(',', filters), filter, _ => PruneFilter.Parse(filters, context.Now, "until", "label", "label!"));
            if (result.IsOn(volumes) && wanted["until"] is not null)
            {
                throw new UsageException("ERROR: The \"until\" filter is not supported with \"--volumes\"") { ExitCode = 1 };
            }

            CliContext.RequireRoot();
            if (!result.IsOn(force) && !Confirmation.Ask(context, Warning(result.IsOn(all), result.IsOn(volumes), wanted)))
            {
                return 1;
            }

            long bytes = PruneCommands.Containers(context, wanted);
            int code = NetworkPruneCommand.Prune(context, NetworkFilter.Parse(filters));
            if (result.IsOn(volumes))
            {
                bytes += PruneCommands.Volumes(context, wanted, all: false);
            }

            bytes += PruneCommands.Images(context, wanted, result.IsOn(all));
            PruneCommands.WriteTotal(context, bytes);
            return code;
        });
        return command;
    }

    private static string Warning(bool all, bool volumes, PruneFilter filter)
    {
        List<string> lines =
        [
            "WARNING! This will remove:",
            "  - all stopped containers",
            "  - all networks not used by at least one container",
        ];
        if (volumes)
        {
            lines.Add("  - all anonymous volumes not used by at least one container");
        }

        lines.Add(all ? "  - all images without at least one container associated to them" : "  - all dangling images");
        List<string> filters = [.. filter.Texts.Select(text => $"  - {text}")];
        if (filters.Count > 0)
        {
            lines.Add("");
            lines.Add("  Items to be pruned will be filtered with:");
            lines.AddRange(filters);
        }

        lines.Add("");
        return string.Join('\n', lines);
    }
}
