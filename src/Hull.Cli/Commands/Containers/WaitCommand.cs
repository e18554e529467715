using System.Globalization;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull wait</c>: the exit codes of containers, once they have stopped.</summary>
internal static class WaitCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER [CONTAINER...]", "Block until one or more containers stop, then print their exit codes", 1)
        {
            AliasLine = "hull container wait, hull wait",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Run(context, command.Positional(result)));
        return command;
    }

    private static int Run(CliContext context, string[] containers) => Each.Do(
        context,
        containers,
        name =>
        {
            context.Output.WriteLine(context.Engine.Wait(context.Engine.Find(name)).ToString(CultureInfo.InvariantCulture));
            context.Output.Flush();
        },
        print: false);
}
