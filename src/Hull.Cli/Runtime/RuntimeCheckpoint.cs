using Hull.Runtime;
using Hull.Runtime.Checkpoints;

namespace Hull.Cli.Runtime;

/// <summary>The options of <c>hull runtime checkpoint</c> and <c>restore</c>, which are runc's.</summary>
internal static class RuntimeCheckpoint
{
    /// <exception cref="ContainerException">An option that asks for what is not done.</exception>
    public static CheckpointOptions Dump(RuntimeArguments parsed) => new(Common(parsed))
    {
        ParentPath = parsed.Option("--parent-path"),
        LeaveRunning = parsed.Has("--leave-running"),
        PreDump = parsed.Has("--pre-dump"),
        SkipInFlight = parsed.Has("--tcp-skip-in-flight"),
        LinkRemap = parsed.Has("--link-remap"),
        PageServer = parsed.Option("--page-server"),
    };

    /// <exception cref="ContainerException">An option that asks for what is not done.</exception>
    public static RestoreOptions Restore(RuntimeArguments parsed) => new(Common(parsed), Path.GetFullPath(parsed.Option("--bundle") ?? "."))
    {
        PidFile = parsed.Option("--pid-file"),
        Detach = parsed.Has("--detach"),
        LsmProfile = parsed.Option("--lsm-profile"),
        LsmMountContext = parsed.Option("--lsm-mount-context"),
    };

    private static CriuOptions Common(RuntimeArguments parsed)
    {
        Check(parsed);
        // runc's place where none is given.
        string images = Path.GetFullPath(parsed.Option("--image-path") ?? "checkpoint");
        return new CriuOptions
        {
            Id = parsed.Id,
            Program = parsed.Option("--criu"),
            ImagePath = images,
            WorkPath = parsed.Option("--work-path") is { } work ? Path.GetFullPath(work) : images,
            TcpEstablished = parsed.Has("--tcp-established"),
            ExternalUnixSockets = parsed.Has("--ext-unix-sk"),
            ShellJob = parsed.Has("--shell-job"),
            FileLocks = parsed.Has("--file-locks"),
            AutoDeduplicate = parsed.Has("--auto-dedup"),
            EmptyNetwork = parsed.Option("--empty-ns") is not null,
            CgroupMode = parsed.Option("--manage-cgroups-mode") ?? "soft",
        };
    }

    private static void Check(RuntimeArguments parsed)
    {
        string? reason = parsed.Has("--lazy-pages") || parsed.Option("--status-fd") is not null
            ? "--lazy-pages, --status-fd: memory that follows later is not supported by this version of hull; --pre-dump shortens the stop too"
            : parsed.Option("--console-socket") is not null
                ? "--console-socket: a checkpoint has no terminal, so there is none to send"
                : parsed.Option("--empty-ns") is { } names && names != "network" ? $"--empty-ns {names}: network is possible" : null;
        if (reason is not null)
        {
            throw new ContainerException(ContainerFault.Engine, reason);
        }
    }
}
