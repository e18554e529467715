using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;

namespace Hull.Cli.Commands;

/// <summary><c>hull start</c>.</summary>
internal static class StartCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> attach = Flags.Switch("--attach", "Attach STDOUT/STDERR and forward signals", "-a");
        Option<string?> detachKeys = Flags.Text("--detach-keys", "string", "Override the key sequence for detaching a container");
        Option<bool?> interactive = Flags.Switch("--interactive", "Attach container's STDIN", "-i");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers", 1)
        {
            AliasLine = "hull container start, hull start",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(attach);
        command.Add(detachKeys);
        command.Add(interactive);
        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            bool input = result.IsOn(interactive);
            if (!result.IsOn(attach) && !input)
            {
                return Each.Do(context, names, name => Start(context, name));
            }

            return names.Length == 1
                ? Attach(context, names[0], input, DetachKeys.Parse(result.GetValue(detachKeys)))
                : throw EngineException.Invalid("you cannot start and attach multiple containers at once");
        });
        return command;
    }

    private static void Start(CliContext context, string name)
    {
        CliContext.RequireRoot();
        context.Engine.Start(context.Engine.Find(name), out _).Dispose();
    }

    private static int Attach(CliContext context, string name, bool input, DetachKeys keys)
    {
        CliContext.RequireRoot();
        ContainerConfig container = context.Engine.Containers.ReadConfig(context.Engine.Find(name));
        AttachStreams streams = AttachStreams.Stdout | AttachStreams.Stderr
            | (input && container.Payload.OpenStdin ? AttachStreams.Stdin : AttachStreams.None);
        Attachments.CheckTerminal(context, container.Payload.Tty, (streams & AttachStreams.Stdin) != 0);
        MonitorConnection connection = context.Engine.Start(
            container.Id, out _, streams, Attachments.Size(context, container.Payload.Tty));
        AttachResult result = AttachSession.Run(
            connection, Attachments.Options(context, container.Payload.Tty, streams, keys, proxy: true));
        return Attachments.Finish(context, container.Id, name, result);
    }
}
