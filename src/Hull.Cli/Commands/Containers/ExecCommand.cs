using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;

namespace Hull.Cli.Commands;

/// <summary><c>hull exec</c>: a further process in a running container.</summary>
internal static class ExecCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> detach = Flags.Switch("--detach", "Detached mode: run command in the background", "-d");
        Option<string?> detachKeys = Flags.Text("--detach-keys", "string", "Override the key sequence for detaching a container");
        Option<string[]?> env = Flags.List("--env", "Set environment variables", "-e");
        Option<string[]?> envFile = Flags.List("--env-file", "Read in a file of environment variables");
        Option<bool?> interactive = Flags.Switch("--interactive", "Keep STDIN open even if not attached", "-i");
        Option<bool?> privileged = Flags.Switch("--privileged", "Give extended privileges to the command");
        Option<bool?> tty = Flags.Switch("--tty", "Allocate a pseudo-TTY", "-t");
        Option<string?> user = Flags.Text("--user", "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")", "-u");
        Option<string?> workdir = Flags.Text("--workdir", "string", "Working directory inside the container", "-w");
        HullCommand command = new(path, "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container", 2)
        {
            AliasLine = "hull container exec, hull exec",
            OptionsEndAtArgument = true,
            ReportsPayload = true,
            Completion = ArgumentCompletion.Containers,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[detach, detachKeys, env, envFile, interactive, privileged, tty, user, workdir])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] positional = command.Positional(result);
            bool detached = result.IsOn(detach);
            AttachStreams streams = detached ? AttachStreams.None
                : AttachStreams.Stdout | AttachStreams.Stderr | (result.IsOn(interactive) ? AttachStreams.Stdin : AttachStreams.None);
            ExecRequest request = new()
            {
                Args = positional[1..],
                Env = KeyValues.Environment(result.ListOf(envFile), result.ListOf(env), context.Environment) ?? [],
                WorkingDirectory = result.TextOf(workdir),
                User = result.TextOf(user),
                Tty = result.IsOn(tty),
                Privileged = result.IsOn(privileged),
                Streams = streams,
                Size = Attachments.Size(context, result.IsOn(tty)),
            };
            return Run(context, positional[0], request, DetachKeys.Parse(result.GetValue(detachKeys)));
        });
        return command;
    }

    private static int Run(CliContext context, string name, ExecRequest request, DetachKeys keys)
    {
        Attachments.CheckTerminal(context, request.Tty, (request.Streams & AttachStreams.Stdin) != 0);
        CliContext.RequireRoot();
        ContainerId id = context.Engine.Find(name);
        MonitorConnection connection = Exec(context, id, request);
        if (request.Streams == AttachStreams.None)
        {
            connection.Dispose();
            return 0;
        }

        // As docker's: a signal ends this process, and the one inside goes on.
        AttachResult result = AttachSession.Run(
            connection, Attachments.Options(context, request.Tty, request.Streams, keys, proxy: false));
        return Attachments.Finish(context, id, name, result);
    }

    private static MonitorConnection Exec(CliContext context, ContainerId id, ExecRequest request)
    {
        try
        {
            return MonitorClient.Exec(context.Paths, id, request, out _);
        }
        catch (EngineException refused) when (refused.Kind == EngineErrorKind.Conflict && context.Engine.Status(id) is { IsLive: false } status)
        {
            throw EngineException.Conflict($"container {status.Name} is not running (it is {status.State.Name()}: hull start {status.Name})");
        }
    }
}
