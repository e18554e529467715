using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull kill</c>: a signal to the container's init.</summary>
internal static class KillCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> signal = Flags.Text("--signal", "string", "Signal to send to the container", "-s");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [CONTAINER...]", "Kill one or more running containers", 1)
        {
            AliasLine = "hull container kill, hull kill",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(signal);
        command.SetAction(result => Run(context, command.Positional(result), result.TextOf(signal) ?? "KILL"));
        return command;
    }

    private static int Run(CliContext context, string[] containers, string signal) =>
        Each.Do(context, containers, name => context.Engine.Kill(context.Engine.Find(name), signal));
}
