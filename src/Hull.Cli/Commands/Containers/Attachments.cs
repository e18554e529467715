using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;

namespace Hull.Cli.Commands;

/// <summary>What the commands that stay with a container have in common: run, start -a, attach, exec.</summary>
internal static class Attachments
{
    /// <summary>128 and SIGKILL.</summary>
    private const int KilledExitCode = 137;

    /// <exception cref="RefusedException">A terminal was asked for inside, and standard input is none.</exception>
    public static void CheckTerminal(CliContext context, bool tty, bool stdin)
    {
        if (tty && stdin && !Terminals.IsTerminal(context.StandardInput))
        {
            throw new RefusedException("cannot attach stdin to a TTY-enabled container because stdin is not a terminal (leave out -t, or -i)");
        }
    }

    public static AttachStreams Streams(PayloadConfig payload) =>
        (payload.AttachStdin ? AttachStreams.Stdin : AttachStreams.None)
        | (payload.AttachStdout ? AttachStreams.Stdout : AttachStreams.None)
        | (payload.AttachStderr ? AttachStreams.Stderr : AttachStreams.None);

    /// <summary>The size of the user's terminal for a process that gets one.</summary>
    public static TerminalSize? Size(CliContext context, bool tty) =>
        tty ? AttachSession.TerminalSizeOf(context.StandardInput, context.StandardOutput) : null;

    /// <summary>Opens the signals early, so that none is lost between the start and the first wait.</summary>
    public static SignalForwarding? OpenSignals(CliContext context, PayloadConfig payload, bool proxy)
    {
        bool terminal = payload.Tty && payload.AttachStdin && Terminals.IsTerminal(context.StandardInput);
        return terminal || proxy ? SignalForwarding.Open(proxy, terminal) : null;
    }

    public static AttachOptions Options(CliContext context, bool tty, AttachStreams streams, DetachKeys keys, bool proxy) => new()
    {
        Input = (streams & AttachStreams.Stdin) != 0 ? context.StandardInput : null,
        Output = context.StandardOutput,
        Error = context.StandardError,
        Tty = tty,
        DetachKeys = keys,
        Proxy = proxy,
    };

    private static int Recovered(CliContext context, ContainerId id, string name)
    {
        try
        {
            ContainerStatus status = context.Engine.Status(id);
            context.Error.WriteLine($"hull: container {name}: {status.Error ?? "its monitor was killed"}");
            return status.ExitCode;
        }
        catch (EngineException gone) when (gone.Kind == EngineErrorKind.NotFound)
        {
            // --rm: the record went with the recovery. What was left of the container has been killed.
            context.Error.WriteLine($"hull: container {name}: its monitor was killed, and the container with it");
            return KilledExitCode;
        }
    }

    /// <summary>Says what there is to say about the end and gives the exit code of the command.</summary>
    public static int Finish(CliContext context, ContainerId id, string name, AttachResult result)
    {
        switch (result.End)
        {
            case AttachEnd.Exited:
                if (result.Exit!.Error is { Length: > 0 } error)
                {
                    context.Error.WriteLine($"hull: container {name}: {error}");
                }

                return result.Exit.Code;
            case AttachEnd.DetachedByUser:
                context.Error.WriteLine("read escape sequence");
                return 0;
            case AttachEnd.DetachedByMonitor:
                throw new EngineException(EngineErrorKind.System, $"detached from {name}: {result.Reason}");
            default:
                // Its monitor was killed. Looking the container up repairs the record, which then has the truth.
                return Recovered(context, id, name);
        }
    }
}
