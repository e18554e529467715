using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Images;

namespace Hull.Cli.Commands;

/// <summary><c>hull run</c>: create, start, and unless detached stay with the container until it ends.</summary>
internal static class RunCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image", 1)
        {
            AliasLine = "hull container run, hull run",
            OptionsEndAtArgument = true,
            FailureExitCode = 125,
            ReportsPayload = true,
            Completion = ArgumentCompletion.Images,
        };
        ContainerFlags flags = new(command);
        Option<bool?> detach = Flags.Switch("--detach", "Run container in background and print container ID", "-d");
        Option<string?> detachKeys = Flags.Text("--detach-keys", "string", "Override the key sequence for detaching a container");
        Option<bool?> proxy = Flags.Switch("--sig-proxy", "Proxy received signals to the process (default true)");
        OptionalValueOption dryRun = new("--dry-run", DryRun.Plan)
        {
            Description = "Print what would be done, and do nothing: the OCI runtime spec or the plan of steps (spec|plan)",
            HelpName = "string",
        };
        command.Add(detach);
        command.Add(detachKeys);
        command.Add(proxy);
        command.Add(dryRun);
        command.SetAction(result =>
        {
            bool detached = result.IsOn(detach);
            if (detached && result.IsGiven(flags.Attach))
            {
                throw new RefusedException("conflicting options: cannot specify both --attach and --detach");
            }

            CreateRequest request = flags.Read(result, command.Positional(result), attached: !detached);
            if (result.TextOf(dryRun) is { } form)
            {
                return DryRun.Run(context, request, form, new PullRequest(flags.PullPolicy(result), flags.Platform(result), result.IsOn(flags.Quiet)));
            }

            RunRequest run = new(
                request, detached, DetachKeys.Parse(result.GetValue(detachKeys)), result.IsOn(proxy, missing: true),
                new PullRequest(flags.PullPolicy(result), flags.Platform(result), result.IsOn(flags.Quiet)));
            return Run(context, run);
        });
        return command;
    }

    private static int Run(CliContext context, RunRequest run)
    {
        PayloadConfig payload = run.Request.Payload;
        Attachments.CheckTerminal(context, payload.Tty, payload.AttachStdin);
        CliContext.RequireRoot();

        Image image = Creation.FindImage(context, run.Request, run.Pull);
        AttachStreams streams = Attachments.Streams(payload);
        SignalForwarding? signals = null;
        ContainerConfig? container = null;
        MonitorConnection connection;
        try
        {
            connection = context.Engine.Run(
                run.Request, image, streams, Attachments.Size(context, payload.Tty), out container, out _, created =>
                {
                    Creation.WriteCidFile(context, created);
                    // While the monitor's runtime is still starting up.
                    signals = run.Detached ? null : Attachments.OpenSignals(context, payload, run.Proxy);
                });
        }
        catch
        {
            signals?.Dispose();
            throw;
        }

        if (run.Detached)
        {
            connection.Dispose();
            context.Output.WriteLine(container!.Id.Hex);
            return 0;
        }

        AttachResult result = AttachSession.Run(
            connection, Attachments.Options(context, payload.Tty, streams, run.DetachKeys, run.Proxy) with { Signals = signals });
        return Attachments.Finish(context, container!.Id, container.Name, result);
    }

    private sealed record RunRequest(CreateRequest Request, bool Detached, DetachKeys DetachKeys, bool Proxy, PullRequest Pull);
}
