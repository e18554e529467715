using Hull.Engine.Containers;
using Hull.Engine.Logs;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>What a monitor does to its container beside serving it: the processes, the cgroup, the record. The real one is
/// <see cref="ContainerHost"/>; unit tests run plain processes without isolation.</summary>
/// <remarks>Belongs to the monitor's thread. Methods report failures as <see cref="EngineException"/>.</remarks>
internal interface IContainerHost : IDisposable
{
    /// <summary>What does not change while the monitor lives.</summary>
    MonitorSettings Settings { get; }

    /// <summary>Where the monitor's socket belongs; owned by the host.</summary>
    SafeFileHandle RuntimeDirectory { get; }

    /// <summary>Makes the container's processes, from cgroup to execve.</summary>
    /// <param name="size">Of the terminal, where it has one.</param>
    Payload Start(TerminalSize? size);

    /// <summary>Serves the container that has started from the monitor's loop, until the end of its run: its names, and what
    /// of its published ports the firewall cannot translate.</summary>
    void Serve(EventLoop loop);

    /// <summary>Starts a further process beside init.</summary>
    Payload Exec(ExecRequest request);

    /// <summary>Ends every process of the container, frozen ones too.</summary>
    void KillAll();

    void Pause();

    void Unpause();

    /// <summary>Init has ended: ends what is left of the run and says what is to be told about it.</summary>
    RunOutcome EndRun();

    /// <summary>Writes the container's record; a reader sees it when this returns.</summary>
    void Record(StatusChange change);

    /// <summary>The container will not start again: frees what the run needed, honours --rm. The record is written already.</summary>
    void Finish();

    /// <summary>After <see cref="Finish"/>, when everyone who waits for the end has been told: removes what nobody waits for, and gives the
    /// lock back.</summary>
    void Release();
}

/// <summary>The part of a container's configuration that steers its monitor.</summary>
internal sealed record MonitorSettings
{
    public RestartPolicy? RestartPolicy { get; init; }
    public bool AutoRemove { get; init; }
    public bool Tty { get; init; }
    /// <summary>The first client's end of input is the container's.</summary>
    public bool StdinOnce { get; init; }
    public int StopSignal { get; init; } = 15;
    /// <summary>Seconds from the stop signal to SIGKILL where the monitor itself is told to end; below 0: never.</summary>
    public int StopTimeout { get; init; } = 10;
    public required string LogPath { get; init; }
    public LogOptions Log { get; init; } = LogOptions.Default;
}

/// <summary>What the kernel has to tell about a run that ended.</summary>
/// <param name="OomKilled">A process of the container was killed for memory.</param>
/// <param name="OomLimit">The limit in words.</param>
internal readonly record struct RunOutcome(bool OomKilled, string? OomLimit);

/// <summary>A change of the container's record.</summary>
internal sealed record StatusChange(ContainerState State)
{
    public int Pid { get; init; }
    /// <summary>Set at a start, null keeps the record's.</summary>
    public DateTimeOffset? Started { get; init; }
    /// <summary>Set at an end, null keeps the record's.</summary>
    public DateTimeOffset? Finished { get; init; }
    public int ExitCode { get; init; }
    public string? Error { get; init; }
    public RunOutcome Outcome { get; init; }
    public int RestartCount { get; init; }
    public bool StoppedByUser { get; init; }
}
