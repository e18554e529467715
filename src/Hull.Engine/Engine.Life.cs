using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;

namespace Hull.Engine;

/// <summary>Start, stop, kill, pause, wait, remove.</summary>
public sealed partial class Engine
{
    private const int DefaultStopSeconds = 10;
    private static readonly TimeSpan MonitorPatience = TimeSpan.FromSeconds(10);

    /// <summary>Starts a container that does not run.</summary>
    /// <param name="streams">What the caller takes part in from the first byte on; none for a detached start.</param>
    /// <param name="pid">Init on the host.</param>
    /// <param name="starter">A monitor that was spawned beforehand, to overlap its start-up with the caller's own work; it is
    /// used up, or ended.</param>
    /// <returns>The conversation with the monitor: relay it until Exited where streams are attached, else dispose it.</returns>
    /// <exception cref="EngineException">NotModified: it runs already; CommandNotFound, CannotExecute: the payload.</exception>
    public MonitorConnection Start(
        ContainerId id, out int pid, AttachStreams streams = AttachStreams.None, TerminalSize? size = null, MonitorStarter? starter = null)
        => Start(id, out pid, streams, size, starter, restarts: 0);

    private MonitorConnection Start(
        ContainerId id, out int pid, AttachStreams streams, TerminalSize? size, MonitorStarter? starter, int restarts)
    {
        using MonitorStarter monitor = starter ?? MonitorLauncher.Spawn();
        ContainerStatus status = Status(id);
        switch (status.State)
        {
            case ContainerState.Paused:
                throw EngineException.Conflict("cannot start a paused container, try unpause instead");
            case ContainerState.Dead:
                throw EngineException.Conflict("container is marked for removal and cannot be started");
            case ContainerState.Running or ContainerState.Restarting:
                throw new EngineException(EngineErrorKind.NotModified, $"container {status.Name} is already running");
            case ContainerState.Exited:
                // Not the first start: the host's name servers may have changed.
                ManagedFiles.Write(Paths.ContainerDirectory(id), Containers.ReadConfig(id));
                break;
            default:
                break;
        }

        return Launch(monitor, id, out pid, streams, size, restarts);
    }

    /// <summary>Create and start in one go: the monitor's start-up (3-4 ms) overlaps with the making of the record.</summary>
    /// <param name="config">The new container, also where its start then fails.</param>
    public MonitorConnection Run(
        CreateRequest request, Images.Image image, AttachStreams streams, TerminalSize? size, out ContainerConfig? config, out int pid,
        Action<ContainerConfig>? created = null)
    {
        config = null;
        using MonitorStarter monitor = MonitorLauncher.Spawn();
        config = Create(request, image);
        created?.Invoke(config);
        return Launch(monitor, config.Id, out pid, streams, size);
    }

    /// <summary>Stops a container: its stop signal, then SIGKILL. Returns when it has ended.</summary>
    /// <param name="timeout">Seconds between the two, negative: for ever; null: the container's, else 10.</param>
    /// <exception cref="EngineException">NotModified: it does not run.</exception>
    public void Stop(ContainerId id, int? timeout = null, string? signal = null)
    {
        ContainerStatus status = Status(id);
        if (!status.IsLive)
        {
            throw new EngineException(EngineErrorKind.NotModified, $"container {status.Name} is not running");
        }

        PayloadConfig payload = Containers.ReadConfig(id).Payload;
        int number = SignalText.Parse(signal ?? payload.StopSignal ?? "SIGTERM");
        try
        {
            MonitorClient.Stop(Paths, id, number, timeout ?? payload.StopTimeout ?? DefaultStopSeconds);
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.Conflict)
        {
            // It ended by itself between the look and the request: stopped is what was asked for.
        }
    }

    /// <summary>Sends a signal to init.</summary>
    /// <exception cref="EngineException">Conflict: it does not run.</exception>
    public void Kill(ContainerId id, string signal = "KILL")
    {
        int number = SignalText.Parse(signal);
        ContainerStatus status = Status(id);
        if (status.State is not (ContainerState.Running or ContainerState.Paused))
        {
            throw EngineException.Conflict($"cannot kill container: {status.Name}: container {id.Hex} is not running");
        }

        MonitorClient.Signal(Paths, id, number);
    }

    /// <summary>Stop, then start detached.</summary>
    public void Restart(ContainerId id, int? timeout = null, string? signal = null)
    {
        if (Status(id).IsLive)
        {
            Stop(id, timeout, signal);
            AwaitMonitor(id);
        }

        Start(id, out _).Dispose();
    }

    /// <exception cref="EngineException">Conflict: not running, or paused already.</exception>
    public void Pause(ContainerId id)
    {
        ContainerStatus status = Status(id);
        if (status.State != ContainerState.Running)
        {
            throw EngineException.Conflict(status.State == ContainerState.Paused
                ? $"container {id.Hex} is already paused"
                : $"container {id.Hex} is not running");
        }

        MonitorClient.Pause(Paths, id);
    }

    /// <exception cref="EngineException">Conflict: not paused.</exception>
    public void Unpause(ContainerId id)
    {
        if (Status(id).State != ContainerState.Paused)
        {
            throw EngineException.Conflict($"container {id.Hex} is not paused");
        }

        MonitorClient.Unpause(Paths, id);
    }

    /// <summary>Waits until the condition is met.</summary>
    /// <returns>The exit code.</returns>
    public int Wait(ContainerId id, WaitCondition condition = WaitCondition.NotRunning)
    {
        while (true)
        {
            ContainerStatus status = Status(id);
            if (condition == WaitCondition.NotRunning && !status.IsLive)
            {
                return status.ExitCode;
            }

            using (MonitorConnection? connection = MonitorClient.TryWait(Paths, id, condition))
            {
                if (connection is not null && MonitorClient.WaitForExit(connection) is { } notice)
                {
                    return notice.Code;
                }
            }

            // No monitor, or it was killed with the answer: the record has the truth, once the monitor's lock is free.
            if (condition != WaitCondition.NotRunning && !MonitorLock.IsHeld(Paths, id))
            {
                if (!Containers.Exists(id))
                {
                    return status.ExitCode;
                }

                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Gives the container another name, by which its networks' containers find it at once.</summary>
    public void Rename(ContainerId id, string name)
    {
        Containers.Rename(id, name);
        InNetworks($"rename {name}", () => Networks.Rename(id.Hex, () => Containers.CurrentName(id)));
    }

    /// <summary>Removes a container.</summary>
    /// <param name="force">Also one that runs: it is killed.</param>
    /// <param name="volumes">Its anonymous volumes go too.</param>
    /// <exception cref="EngineException">Conflict: it runs; NotFound.</exception>
    public void Remove(ContainerId id, bool force = false, bool volumes = false)
    {
        string name = id.Hex;
        try
        {
            ContainerStatus status = Status(id);
            name = status.Name;
            if (status.IsLive)
            {
                Refuse(status, force);
                KillForGood(id);
            }
        }
        catch (EngineException e) when (force && e.Kind == EngineErrorKind.System)
        {
            // A damaged record: what can be done without it is done.
            KillRemains(id, null);
        }

        if (!Containers.Exists(id))
        {
            // --rm was faster, and took the volumes as well.
            return;
        }

        using FileLock monitorLock = AcquireMonitor(id);
        if (!Containers.Exists(id))
        {
            Containers.ForgetRuntime(id);
            return;
        }

        // A monitor that was killed before it had written that the container runs left a cgroup and networks all the same.
        KillRemains(id, TryReadHost(id)?.CgroupParent);
        try
        {
            Containers.Remove(id, CurrentName(id, name), volumes ? Volumes.Remove : null);
        }
        catch (SyscallException e)
        {
            throw Wrap($"remove container {name}", e);
        }
    }

    private static void Refuse(ContainerStatus status, bool force)
    {
        if (!force)
        {
            throw EngineException.Conflict(status.State == ContainerState.Paused
                ? $"cannot remove container \"{status.Name}\": container is paused and must be unpaused first"
                : $"cannot remove container \"{status.Name}\": container is {status.State.Name()}: stop the container before removing or force remove");
        }
    }

    private string CurrentName(ContainerId id, string fallback)
    {
        try
        {
            return Containers.CurrentName(id);
        }
        catch (EngineException)
        {
            return fallback;
        }
    }

    private void KillForGood(ContainerId id)
    {
        try
        {
            MonitorClient.Stop(Paths, id, (int)Signal.SIGKILL, 0);
        }
        catch (EngineException e) when (e.Kind is EngineErrorKind.Conflict)
        {
            // It ended by itself meanwhile.
        }
    }

    private MonitorConnection Launch(
        MonitorStarter monitor, ContainerId id, out int pid, AttachStreams streams, TerminalSize? size, int restarts = 0)
    {
        MonitorConnection connection = monitor.Start(
            new StartRequest
            {
                DataRoot = Paths.DataRoot,
                ExecRoot = Paths.ExecRoot,
                Container = id,
                Streams = streams,
                Size = size,
                RestartCount = restarts,
            },
            out pid);
        foreach (string note in monitor.Notes)
        {
            _warn($"container {id.Short}: {note}");
        }

        return connection;
    }

    private void AwaitMonitor(ContainerId id) => AcquireMonitor(id).Dispose();

    /// <summary>The lock of a monitor that is on its way out.</summary>
    private FileLock AcquireMonitor(ContainerId id)
    {
        System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();
        int pause = 0;
        while (true)
        {
            if (MonitorLock.TryAcquire(Paths, id) is { } taken)
            {
                return taken;
            }

            if (clock.Elapsed > MonitorPatience)
            {
                throw EngineException.Conflict($"container {id.Short}: its monitor has not ended within {MonitorPatience.TotalSeconds:0} s of the container's end");
            }

            // A monitor ends well within a millisecond of its answer; flock(2) has no time limit of its own.
            Thread.Sleep(pause);
            pause = Math.Min(pause + 1, 20);
        }
    }
}
