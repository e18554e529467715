using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull unpause</c>: lets a paused container go on.</summary>
internal static class UnpauseCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER [CONTAINER...]", "Unpause all processes within one or more containers", 1)
        {
            AliasLine = "hull container unpause, hull unpause",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Each.Do(context, command.Positional(result), name => context.Engine.Unpause(context.Engine.Find(name))));
        return command;
    }
}
