using Hull.Runtime;

namespace Hull.Cli.Runtime;

/// <summary>A command of <c>hull runtime</c>: its own options and how many words it takes beside them.</summary>
/// <remarks>The names are runc's (1.1 to 1.3); what a verb does not list here is an error that names both.</remarks>
internal sealed record RuntimeVerb
{
    private static readonly RuntimeOption Bundle = new("--bundle", "-b");
    private static readonly RuntimeOption ConsoleSocket = new("--console-socket");
    private static readonly RuntimeOption PidFdSocket = new("--pidfd-socket");
    private static readonly RuntimeOption PidFile = new("--pid-file");
    private static readonly RuntimeOption PreserveFds = new("--preserve-fds");
    private static readonly RuntimeOption Detach = new("--detach", "-d", OptionKind.Flag);
    private static readonly RuntimeOption Format = new("--format", "-f");
    private static readonly RuntimeOption NoPivot = new("--no-pivot", null, OptionKind.Flag);
    private static readonly RuntimeOption NoNewKeyring = new("--no-new-keyring", null, OptionKind.Flag);

    /// <summary>What checkpoint and restore both take.</summary>
    private static readonly IReadOnlyList<RuntimeOption> Criu =
    [
        new("--image-path"), new("--work-path"), new("--tcp-established", null, OptionKind.Flag), new("--ext-unix-sk", null, OptionKind.Flag),
        new("--shell-job", null, OptionKind.Flag), new("--lazy-pages", null, OptionKind.Flag), new("--file-locks", null, OptionKind.Flag),
        new("--manage-cgroups-mode"), new("--empty-ns"), new("--auto-dedup", null, OptionKind.Flag),
    ];

    /// <summary>Before the verb: what holds for all of them.</summary>
    public static readonly RuntimeVerb Global = new()
    {
        Name = "",
        Options =
        [
            new("--root"), new("--log"), new("--log-format"), new("--debug", null, OptionKind.Flag), new("--systemd-cgroup", null, OptionKind.Flag),
            new("--rootless"), new("--version", "-v", OptionKind.Flag),
            // Where criu is: containerd names it in every call.
            new("--criu"),
        ],
    };

    private static readonly RuntimeOption Help = new("--help", "-h", OptionKind.Flag);

    public static readonly IReadOnlyList<RuntimeVerb> All =
    [
        new() { Name = "create", Options = [Bundle, ConsoleSocket, PidFdSocket, PidFile, PreserveFds, NoPivot, NoNewKeyring] },
        new() { Name = "start" },
        new()
        {
            Name = "run",
            // --no-subreaper: hull never makes itself a subreaper, so the flag asks for what is.
            Options =
            [
                Bundle, ConsoleSocket, PidFdSocket, PidFile, PreserveFds, NoPivot, NoNewKeyring, Detach, new("--keep", null, OptionKind.Flag),
                new("--no-subreaper", null, OptionKind.Flag),
            ],
        },
        new()
        {
            Name = "exec",
            Most = int.MaxValue,
            Options =
            [
                ConsoleSocket, PidFdSocket, PidFile, PreserveFds, Detach, new("--cwd"), new("--env", "-e"), new("--tty", "-t", OptionKind.Flag),
                new("--user", "-u"), new("--additional-gids", "-g"), new("--process", "-p"), new("--process-label"), new("--apparmor"),
                new("--no-new-privs", null, OptionKind.Flag), new("--cap", "-c"), new("--cgroup"), new("--ignore-paused", null, OptionKind.Flag),
            ],
        },
        new() { Name = "state" },
        new() { Name = "list", Fewest = 0, Most = 0, Options = [Format, new("--quiet", "-q", OptionKind.Flag)] },
        new() { Name = "ps", Most = int.MaxValue, Options = [Format] },
        new() { Name = "kill", Most = 2, Options = [new("--all", "-a", OptionKind.Flag)] },
        new() { Name = "pause" },
        new() { Name = "resume" },
        new() { Name = "delete", Options = [new("--force", "-f", OptionKind.Flag)] },
        new()
        {
            Name = "update",
            Options =
            [
                new("--resources", "-r"), new("--blkio-weight"), new("--cpu-period"), new("--cpu-quota"), new("--cpu-burst"), new("--cpu-rt-period"),
                new("--cpu-rt-runtime"), new("--cpu-share"), new("--cpu-idle"), new("--cpuset-cpus"), new("--cpuset-mems"), new("--memory"),
                new("--memory-reservation"), new("--memory-swap"), new("--pids-limit"), new("--l3-cache-schema"), new("--mem-bw-schema"),
                new("--kernel-memory"), new("--kernel-memory-tcp"),
            ],
        },
        new()
        {
            Name = "checkpoint",
            Options =
            [
                .. Criu, new("--parent-path"), new("--leave-running", null, OptionKind.Flag), new("--tcp-skip-in-flight", null, OptionKind.Flag),
                new("--link-remap", null, OptionKind.Flag), new("--page-server"), new("--pre-dump", null, OptionKind.Flag), new("--status-fd"),
            ],
        },
        new()
        {
            Name = "restore",
            Options =
            [
                .. Criu, Bundle, ConsoleSocket, PidFile, Detach, NoPivot, new("--no-subreaper", null, OptionKind.Flag), new("--lsm-profile"),
                new("--lsm-mount-context"),
            ],
        },
        new() { Name = "spec", Fewest = 0, Most = 0, Options = [Bundle, new("--rootless", null, OptionKind.Flag)] },
        new() { Name = "events", Options = [new("--interval"), new("--stats", null, OptionKind.Flag)] },
        new() { Name = "features", Fewest = 0, Most = 0 },
        new() { Name = "help", Fewest = 0, Most = int.MaxValue },
    ];

    public required string Name { get; init; }

    public IReadOnlyList<RuntimeOption> Options { get; init; } = [];

    /// <summary>How few words follow, the container's id the first of them.</summary>
    public int Fewest { get; private init; } = 1;

    public int Most { get; private init; } = 1;

    /// <summary>What an error calls it.</summary>
    public string Called => Name.Length == 0 ? "hull runtime" : $"hull runtime {Name}";

    /// <exception cref="ContainerException">There is no such verb.</exception>
    public static RuntimeVerb Of(string name)
    {
        foreach (RuntimeVerb verb in All)
        {
            if (verb.Name == name)
            {
                return verb;
            }
        }

        throw new ContainerException(
            ContainerFault.Engine, $"unknown command '{name}' (did you mean {NearestNames.First(name, All.Select(verb => verb.Name))}? 'hull runtime --help' lists all)");
    }

    /// <exception cref="ContainerException">The verb has no such option.</exception>
    public RuntimeOption Option(string spelling)
    {
        foreach (RuntimeOption option in Options)
        {
            if (option.Is(spelling))
            {
                return option;
            }
        }

        if (Help.Is(spelling))
        {
            return Help;
        }

        string cure = Options.Count == 0 ? "it takes no options"
            : Name.Length > 0 && Global.Options.Any(option => option.Is(spelling)) ? "it stands before the command"
            : $"did you mean {NearestNames.First(spelling, Options.Select(option => option.Name))}?";
        throw new ContainerException(ContainerFault.Engine, $"unknown option {spelling} of '{Called}' ({cure})");
    }

    /// <exception cref="ContainerException">Too few words, or too many.</exception>
    public void CheckCount(IReadOnlyList<string> words)
    {
        if (words.Count < Fewest)
        {
            throw new ContainerException(ContainerFault.Engine, $"{Name}: the container's id is missing");
        }

        if (words.Count > Most)
        {
            throw new ContainerException(ContainerFault.Engine, $"{Name}: '{words[Most]}' is one word too many ('hull runtime --help' shows what it takes)");
        }
    }
}
