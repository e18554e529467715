using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull pause</c>: freezes every process of a container.</summary>
internal static class PauseCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER [CONTAINER...]", "Pause all processes within one or more containers", 1)
        {
            AliasLine = "hull container pause, hull pause",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Each.Do(context, command.Positional(result), name => context.Engine.Pause(context.Engine.Find(name))));
        return command;
    }
}
