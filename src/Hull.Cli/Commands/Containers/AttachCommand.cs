using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;

namespace Hull.Cli.Commands;

/// <summary><c>hull attach</c>: takes part in a running container's streams.</summary>
internal static class AttachCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> detachKeys = Flags.Text("--detach-keys", "string", "Override the key sequence for detaching a container");
        Option<bool?> noStdin = Flags.Switch("--no-stdin", "Do not attach STDIN");
        Option<bool?> proxy = Flags.Switch("--sig-proxy", "Proxy all received signals to the process (default true)");
        HullCommand command = new(path, "[OPTIONS] CONTAINER", "Attach local standard input, output, and error streams to a running container", 1, 1)
        {
            AliasLine = "hull container attach, hull attach",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(detachKeys);
        command.Add(noStdin);
        command.Add(proxy);
        command.SetAction(result => Run(
            context,
            command.Positional(result)[0],
            result.IsOn(noStdin),
            DetachKeys.Parse(result.GetValue(detachKeys)),
            result.IsOn(proxy, missing: true)));
        return command;
    }

    private static int Run(CliContext context, string name, bool noStdin, DetachKeys keys, bool proxy)
    {
        CliContext.RequireRoot();
        ContainerStatus status = context.Engine.Status(context.Engine.Find(name));
        switch (status.State)
        {
            case ContainerState.Running:
                break;
            case ContainerState.Paused:
                throw EngineException.Conflict($"cannot attach to a paused container, unpause it first: hull unpause {status.Name}");
            case ContainerState.Restarting:
                throw EngineException.Conflict("cannot attach to a restarting container, wait until it is running");
            default:
                throw EngineException.Conflict($"cannot attach to a stopped container, start it first: hull start {status.Name}");
        }

        PayloadConfig payload = context.Engine.Containers.ReadConfig(status.Id).Payload;
        AttachStreams streams = AttachStreams.Stdout | AttachStreams.Stderr
            | (!noStdin && payload.OpenStdin ? AttachStreams.Stdin : AttachStreams.None);
        Attachments.CheckTerminal(context, payload.Tty, (streams & AttachStreams.Stdin) != 0);
        MonitorConnection connection = MonitorClient.Attach(
            context.Paths, status.Id, new AttachRequest { Streams = streams, Size = Attachments.Size(context, payload.Tty) });
        AttachResult result = AttachSession.Run(connection, Attachments.Options(context, payload.Tty, streams, keys, proxy));
        return Attachments.Finish(context, status.Id, status.Name, result);
    }
}
