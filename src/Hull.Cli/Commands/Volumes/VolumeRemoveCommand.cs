using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands.Volumes;

/// <summary><c>hull volume rm</c>.</summary>
internal static class VolumeRemoveCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> force = Flags.Switch("--force", "Force the removal of one or more volumes", "-f");
        HullCommand command = new(path, "[OPTIONS] VOLUME [VOLUME...]", "Remove one or more volumes", 1)
        {
            AliasLine = "hull volume rm, hull volume remove",
            Completion = ArgumentCompletion.Volumes,
        };
        command.Add(force);
        command.SetAction(result => Each.Do(
            context, command.Positional(result), context.Engine.RemoveVolume, missingIsDone: result.IsOn(force)));
        return command;
    }
}
