using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary><c>hull top</c>: the processes of a container, read from the host's /proc: nothing of the container is executed.</summary>
internal static class TopCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER [ps OPTIONS]", "Display the running processes of a container", 1)
        {
            AliasLine = "hull container top, hull top",
            OptionsEndAtArgument = true,
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Run(context, command.Positional(result)));
        return command;
    }

    private static int Run(CliContext context, string[] arguments)
    {
        ProcessList processes = context.Engine.Top(context.Engine.Find(arguments[0]), arguments[1..]);
        // Docker's columns of top are wider than those of its other tables.
        TabWriter table = new(minimumWidth: 20);
        table.AddRow([.. processes.Titles]);
        foreach (IReadOnlyList<string> process in processes.Processes)
        {
            table.AddRow([.. process]);
        }

        table.WriteTo(context.Output);
        return 0;
    }
}
