using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands.Networks;

/// <summary><c>hull network rm</c>.</summary>
internal static class NetworkRemoveCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> force = Flags.Switch("--force", "Do not error if the network does not exist", "-f");
        HullCommand command = new(path, "NETWORK [NETWORK...]", "Remove one or more networks", 1)
        {
            AliasLine = "hull network rm, hull network remove",
            Completion = ArgumentCompletion.Networks,
        };
        command.Add(force);
        command.SetAction(result => Each.Do(
            context, command.Positional(result), context.Engine.RemoveNetwork, missingIsDone: result.IsOn(force)));
        return command;
    }
}
