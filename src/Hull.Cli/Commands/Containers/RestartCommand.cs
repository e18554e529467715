using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull restart</c>: stop, then start.</summary>
internal static class RestartCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> signal = Flags.Text("--signal", "string", "Signal to send to the container", "-s");
        Option<string?> timeout = Flags.Text("--timeout", "int", "Seconds to wait before killing the container", "-t", alias: "--time");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [CONTAINER...]", "Restart one or more containers", 1)
        {
            AliasLine = "hull container restart, hull restart",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(signal);
        command.Add(timeout);
        command.SetAction(result => Run(
            context, command.Positional(result), result.TextOf(signal), result.IntegerOf(timeout, -1, int.MaxValue)));
        return command;
    }

    private static int Run(CliContext context, string[] containers, string? signal, int? timeout) =>
        Each.Do(context, containers, name => context.Engine.Restart(context.Engine.Find(name), timeout, signal));
}
