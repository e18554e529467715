using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Networking.Records;

namespace Hull.Cli.Commands.Networks;

/// <summary><c>hull network prune</c>: removes the networks that no container wants to be on.</summary>
internal static class NetworkPruneCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<string[]?> filter = Flags.List("--filter", "Provide filter values (e.g. \"until=<timestamp>\")", type: "filter");
        Option<bool?> force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        HullCommand command = new("network prune", "[OPTIONS]", "Remove all unused networks", 0, 0);
        command.Add(filter);
        command.Add(force);
        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            NetworkFilter wanted = Flags.Convert(string.Join(',', filters), filter, _ => NetworkFilter.Parse(filters));
            if (!result.IsOn(force) && !Confirmation.Ask(context, "WARNING! This will remove all custom networks not used by at least one container."))
            {
                return 1;
            }

            return Prune(context, wanted);
        });
        return command;
    }

    /// <summary>Removes the networks that no container wants to be on and that the filter lets through.</summary>
    /// <returns>The exit code.</returns>
    public static int Prune(CliContext context, NetworkFilter wanted)
    {
        NetworkConfig[] unused = [.. context.Engine.UnusedNetworks().Where(network => wanted.Matches(network, unused: true, context.Now))];
        if (unused.Length > 0)
        {
            context.Output.WriteLine("Deleted Networks:");
        }

        int code = Each.Do(context, [.. unused.Select(static network => network.Name)], context.Engine.RemoveNetwork);
        if (unused.Length > 0)
        {
            context.Output.WriteLine();
        }

        return code;
    }
}
