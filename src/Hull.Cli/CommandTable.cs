using Hull.Cli.Commands;
using Hull.Cli.Commands.Images;
using Hull.Cli.Commands.Networks;
using Hull.Cli.Commands.Registries;
using Hull.Cli.Commands.Volumes;
using Hull.Cli.Help;
using Hull.Cli.Parsing;
using Hull.Runtime;

namespace Hull.Cli;

/// <summary>Which word makes which command. A factory runs only for the command that is called.</summary>
internal static class CommandTable
{
    /// <summary>The commands that a newcomer meets first, in docker's order.</summary>
    public static IReadOnlyList<string> CommonVerbs => ["run", "exec", "ps", "pull", "push", "images", "login", "logout", "search", "version", "info"];

    public static IReadOnlyList<string> OtherVerbs =>
    [
        "attach", "commit", "completion", "create", "diff", "export", "history", "import", "inspect", "kill", "load", "logs", "pause",
        "port", "rename", "restart", "rm", "rmi", "save", "start", "stop", "tag", "top", "unpause", "wait",
    ];

    public static IReadOnlyList<string> ContainerVerbs =>
    [
        "attach", "commit", "create", "diff", "exec", "export", "inspect", "kill", "logs", "ls", "pause", "port", "prune", "rename",
        "restart", "rm", "run", "start", "stop", "top", "unpause", "wait",
    ];

    public static IReadOnlyList<string> NetworkVerbs => ["connect", "create", "disconnect", "inspect", "ls", "prune", "rm"];

    public static IReadOnlyList<string> ImageVerbs =>
    [
        "diff", "history", "import", "inspect", "layers", "load", "ls", "prune", "pull", "push", "rm", "save", "squash", "tag",
    ];

    public static IReadOnlyList<string> ManifestVerbs => ["annotate", "create", "inspect", "push", "rm"];

    public static IReadOnlyList<string> SystemVerbs => ["check", "df", "gc", "info", "prune"];

    public static IReadOnlyList<string> VolumeVerbs => ["create", "inspect", "ls", "prune", "rm"];

    /// <summary>The command that the first words call, which are taken off <paramref name="arguments"/>; null where a
    /// group's help was all that was asked for, and it is written.</summary>
    /// <exception cref="UsageException">No such command.</exception>
    public static HullCommand? Find(ref ReadOnlySpan<string> arguments, CliContext context)
    {
        string verb = arguments[0];
        string group = verb is "container" or "image" or "manifest" or "network" or "system" or "volume" ? verb : "";
        arguments = arguments[1..];
        if (group.Length > 0)
        {
            if (arguments.Length == 0 || arguments[0] is "--help" or "-h")
            {
                WriteGroup(group, context.Output);
                return null;
            }

            verb = arguments[0];
            arguments = arguments[1..];
        }

        return Create(group, verb, context) ?? throw Unknown(group, verb);
    }

    /// <summary>A new command; null for an unknown word.</summary>
    public static HullCommand? Create(string group, string verb, CliContext context) => group switch
    {
        "container" => verb == "prune" ? PruneCommands.CreateContainer(context) : CreateContainer(verb, "container " + verb, context),
        "image" => CreateImage(verb, context),
        "manifest" => ManifestCommands.Create(verb, context),
        "network" => CreateNetwork(verb, context),
        "system" => CreateSystem(verb, context),
        "volume" => CreateVolume(verb, context),
        _ => verb switch
        {
            "images" => ImagesCommand.Create(context, "images"),
            "rmi" => RemoveImageCommand.Create(context, "rmi"),
            "pull" => PullCommand.Create(context, "pull"),
            "push" => PushCommand.Create(context, "push"),
            "login" => LoginCommand.Create(context),
            "logout" => LoginCommand.CreateLogout(context),
            "search" => SearchCommand.Create(context),
            "load" => LoadCommand.Create(context, "load"),
            "save" => SaveCommand.Create(context, "save"),
            "import" => ImportCommand.Create(context, "import"),
            "history" => HistoryCommand.Create(context, "history"),
            "tag" => TagCommand.Create(context, "tag"),
            "inspect" => InspectCommand.Create(context, "inspect", InspectCommand.Any),
            "info" => InfoCommand.Create(context, "info"),
            "version" => VersionCommand.Create(context),
            "completion" => CompletionCommand.Create(context),
            "ls" or "list" or "remove" => null,
            _ => CreateContainer(verb, verb, context),
        },
    };

    private static HullCommand? CreateContainer(string verb, string path, CliContext context) => verb switch
    {
        "run" => RunCommand.Create(context, path),
        "create" => CreateCommand.Create(context, path),
        "exec" => ExecCommand.Create(context, path),
        "commit" => CommitCommand.Create(context, path),
        "diff" => DiffCommand.Create(context, path),
        "export" => ExportCommand.Create(context, path),
        "ps" or "ls" or "list" => ListCommand.Create(context, path),
        "start" => StartCommand.Create(context, path),
        "stop" => StopCommand.Create(context, path),
        "restart" => StopCommand.CreateRestart(context, path),
        "kill" => KillCommand.Create(context, path),
        "rm" or "remove" => RemoveCommand.Create(context, path),
        "logs" => LogsCommand.Create(context, path),
        "attach" => AttachCommand.Create(context, path),
        "wait" => WaitCommand.Create(context, path),
        "inspect" => InspectCommand.Create(context, path, InspectCommand.Container),
        "top" => TopCommand.Create(context, path),
        "pause" => PauseCommand.Create(context, path),
        "unpause" => UnpauseCommand.Create(context, path),
        "port" => PortCommand.Create(context, path),
        "rename" => RenameCommand.Create(context, path),
        _ => null,
    };

    private static HullCommand? CreateImage(string verb, CliContext context) => verb switch
    {
        "ls" or "list" => ImagesCommand.Create(context, "image " + verb),
        "rm" or "remove" => RemoveImageCommand.Create(context, "image " + verb),
        "pull" => PullCommand.Create(context, "image pull"),
        "push" => PushCommand.Create(context, "image push"),
        "load" => LoadCommand.Create(context, "image load"),
        "save" => SaveCommand.Create(context, "image save"),
        "import" => ImportCommand.Create(context, "image import"),
        "history" => HistoryCommand.Create(context, "image history"),
        "prune" => PruneCommands.CreateImage(context),
        "diff" => ImageDiffCommand.Create(context),
        "layers" => ImageLayersCommand.Create(context),
        "squash" => SquashCommand.Create(context),
        "tag" => TagCommand.Create(context, "image tag"),
        "inspect" => InspectCommand.Create(context, "image inspect", InspectCommand.Image),
        _ => null,
    };

    private static HullCommand? CreateNetwork(string verb, CliContext context) => verb switch
    {
        "connect" => NetworkConnectCommand.Create(context),
        "create" => NetworkCreateCommand.Create(context),
        "disconnect" => NetworkConnectCommand.CreateDisconnect(context),
        "inspect" => InspectCommand.Create(context, "network inspect", InspectCommand.Network),
        "ls" or "list" => NetworkListCommand.Create(context, "network " + verb),
        "prune" => NetworkPruneCommand.Create(context),
        "rm" or "remove" => NetworkRemoveCommand.Create(context, "network " + verb),
        _ => null,
    };

    private static HullCommand? CreateSystem(string verb, CliContext context) => verb switch
    {
        "check" => SystemCheckCommand.Create(context),
        "df" => DiskUsageCommand.Create(context),
        "gc" => GarbageCommand.Create(context),
        "info" => InfoCommand.Create(context, "system info"),
        "prune" => SystemPruneCommand.Create(context),
        _ => null,
    };

    private static HullCommand? CreateVolume(string verb, CliContext context) => verb switch
    {
        "create" => VolumeCreateCommand.Create(context),
        "inspect" => InspectCommand.Create(context, "volume inspect", InspectCommand.Volume),
        "ls" or "list" => VolumeListCommand.Create(context, "volume " + verb),
        "prune" => PruneCommands.CreateVolume(context),
        "rm" or "remove" => VolumeRemoveCommand.Create(context, "volume " + verb),
        _ => null,
    };

    private static void WriteGroup(string group, TextWriter output)
    {
        (string summary, IReadOnlyList<string> verbs) = group switch
        {
            "container" => ("Manage containers", ContainerVerbs),
            "image" => ("Manage images", ImageVerbs),
            "manifest" => ("Manage manifest lists: images for several platforms under one name", ManifestVerbs),
            "network" => ("Manage networks", NetworkVerbs),
            "volume" => ("Manage volumes", VolumeVerbs),
            _ => ("Manage hull", SystemVerbs),
        };
        CommandHelp.WriteGroup(group, summary, verbs, output);
    }

    private static UsageException Unknown(string group, string verb)
    {
        string path = group.Length == 0 ? "hull" : "hull " + group;
        List<string> names = group switch
        {
            "container" => [.. ContainerVerbs],
            "image" => [.. ImageVerbs],
            "manifest" => [.. ManifestVerbs],
            "network" => [.. NetworkVerbs],
            "system" => [.. SystemVerbs],
            "volume" => [.. VolumeVerbs],
            _ => [.. CommonVerbs, .. OtherVerbs, "container", "image", "manifest", "network", "system", "volume"],
        };
        IReadOnlyList<string> near = NearestNames.Of(verb, names);
        string hint = near.Count == 0 ? "" : $" (did you mean {string.Join(" or ", near)}?)";
        return new UsageException($"unknown command: {path} {verb}{hint}") { ExitCode = 1 };
    }
}
