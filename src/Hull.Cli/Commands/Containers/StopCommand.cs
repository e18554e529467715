using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary><c>hull stop</c>: the stop signal, and SIGKILL where that does not help in time; <c>hull restart</c>: the same,
/// then start. Their flags are the same.</summary>
internal static class StopCommand
{
    public static HullCommand Create(CliContext context, string path) => Create(
        context, path, "stop", "Stop one or more running containers", (id, timeout, signal) => context.Engine.Stop(id, timeout, signal));

    public static HullCommand CreateRestart(CliContext context, string path) => Create(
        context, path, "restart", "Restart one or more containers", (id, timeout, signal) => context.Engine.Restart(id, timeout, signal));

    private static HullCommand Create(CliContext context, string path, string verb, string description, Action<ContainerId, int?, string?> act)
    {
        Option<string?> signal = Flags.Text("--signal", "string", "Signal to send to the container", "-s");
        Option<string?> timeout = Flags.Text("--timeout", "int", "Seconds to wait before killing the container", "-t", alias: "--time");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [CONTAINER...]", description, 1)
        {
            AliasLine = $"hull container {verb}, hull {verb}",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(signal);
        command.Add(timeout);
        command.SetAction(result =>
        {
            string? name = result.TextOf(signal);
            int? seconds = result.IntegerOf(timeout, -1, int.MaxValue);
            return Each.Do(context, command.Positional(result), container => act(context.Engine.Find(container), seconds, name));
        });
        return command;
    }
}
