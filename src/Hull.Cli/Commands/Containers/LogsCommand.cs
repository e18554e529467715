using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Logs;
using Hull.Engine.Monitor;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Commands;

/// <summary><c>hull logs</c>: what a container wrote, and with <c>-f</c> what it writes.</summary>
internal static class LogsCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> details = Flags.Switch("--details", "Show extra details provided to logs");
        Option<bool?> follow = Flags.Switch("--follow", "Follow log output", "-f");
        Option<string?> since = Flags.Text("--since", "string", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)");
        Option<string?> tail = Flags.Text("--tail", "string", "Number of lines to show from the end of the logs (default \"all\")", "-n");
        Option<bool?> timestamps = Flags.Switch("--timestamps", "Show timestamps", "-t");
        Option<string?> until = Flags.Text("--until", "string", "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)");
        HullCommand command = new(path, "[OPTIONS] CONTAINER", "Fetch the logs of a container", 1, 1)
        {
            AliasLine = "hull container logs, hull logs",
            Completion = ArgumentCompletion.Containers,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[details, follow, since, tail, timestamps, until])
        {
            command.Add(option);
        }

        command.SetAction(result => Run(
            context,
            command.Positional(result)[0],
            new LogQuery
            {
                Tail = ReadTail(result.TextOf(tail)),
                Since = ReadInstant(result.TextOf(since), "since", context.Now),
                Until = ReadInstant(result.TextOf(until), "until", context.Now),
            },
            result.IsOn(follow),
            result.IsOn(timestamps)));
        return command;
    }

    private static int Run(CliContext context, string name, LogQuery query, bool follow, bool timestamps)
    {
        ContainerStatus status = context.Engine.Status(context.Engine.Find(name));
        ContainerConfig config = context.Engine.Containers.ReadConfig(status.Id);
        if (config.Host.LogConfig?.Driver is "none")
        {
            throw EngineException.Invalid("configured logging driver does not support reading: this container was made with --log-driver none");
        }

        // Ctrl-C ends this process, the follower, and nothing else: the container is in another session. Behind & of a shell
        // without job control SIGINT comes ignored, and a follower that nothing ends is no use.
        Signals.StopIgnoring(SignalSet.Of(Signal.SIGINT));
        using MonitorConnection? life = follow ? MonitorClient.TryWait(context.Paths, status.Id, WaitCondition.NotRunning) : null;
        using SafeFileHandle? changes = life is null ? null : Inotify.Watch(
            context.Paths.ContainerDirectory(status.Id), WatchEvents.Modified | WatchEvents.Created | WatchEvents.MovedTo);
        using LogReader reader = new(context.Paths.LogFile(status.Id), query);
        LogPrinter printer = new(context, timestamps);
        printer.Drain(reader);
        bool live = life is not null;
        while (live && !reader.PastEnd)
        {
            PollEntry[] entries = [new(life!.Socket, PollEvents.Readable), new(changes, PollEvents.Readable)];
            Poll.Wait(entries, -1);
            live = entries[0].Came == 0;
            Inotify.Drain(changes!);
            printer.Drain(reader);
        }

        return 0;
    }

    private static long? ReadTail(string? text) =>
        text is null or "all" ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long tail) && tail >= 0 ? tail
        : text.StartsWith('-') ? null
        : throw EngineException.Invalid($"invalid value for \"tail\": {text}: expected a number or \"all\"");

    private static DateTime? ReadInstant(string? text, string name, DateTimeOffset now) =>
        text is null ? null
        : Quantity.TryParseInstant(text, now, out DateTimeOffset? instant) ? instant.Value.UtcDateTime
        : throw EngineException.Invalid($"invalid value for \"{name}\": failed to parse value as time or duration: {GoText.Quote(text)}");
}
