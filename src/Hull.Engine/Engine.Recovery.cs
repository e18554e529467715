using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Networking;
using Hull.Runtime.Cgroups;

namespace Hull.Engine;

/// <summary>What becomes of a container whose monitor was killed, or whose host was restarted (design, section 3).</summary>
public sealed partial class Engine
{
    private const int Killed = 137;

    /// <summary>Ends what is left of the container, writes the truth, honours --rm and the restart policy.</summary>
    /// <returns>The status then; null where the container was removed.</returns>
    internal ContainerStatus? Recover(ContainerStatus stale)
    {
        ContainerId id = stale.Id;
        ContainerStatus ended;
        bool restart;
        using (FileLock? monitorLock = MonitorLock.TryAcquire(Paths, id))
        {
            if (!Containers.Exists(id))
            {
                if (monitorLock is not null)
                {
                    Containers.ForgetRuntime(id);
                }

                return null;
            }

            // Someone else recovers or starts it, or the monitor wrote its last word after our look.
            ContainerStatus now = Containers.ReadStatus(id);
            if (monitorLock is null || !now.IsLive)
            {
                return now;
            }

            HostConfig? host = TryReadHost(id);
            string? lastWords = Containers.ReadLastWords(id);
            bool rebooted = !KillRemains(id, host?.CgroupParent);
            ended = now with
            {
                State = ContainerState.Exited,
                Ports = null,
                Pid = 0,
                MonitorPid = 0,
                ExitCode = Killed,
                Finished = DateTimeOffset.UtcNow,
                Error = lastWords is not null
                    ? $"the container's monitor failed: {lastWords}; what was left of the container was ended"
                    : rebooted
                    ? "the host or the container's monitor was ended while the container ran"
                    : "the container's monitor was killed; what was left of the container was ended",
            };
            if (ended.AutoRemove)
            {
                Containers.Remove(id, ended.Name, Volumes.Remove);
                return null;
            }

            restart = host is not null && ShouldRestart(host.RestartPolicy, ended);
            ended = restart ? ended with { RestartCount = ended.RestartCount + 1 } : ended;
            Containers.WriteStatus(ended, durable: true);
        }

        return restart ? StartAgain(ended) : ended;
    }

    /// <summary>The process that leads a running container.</summary>
    internal static bool ShouldRestart(RestartPolicy? policy, ContainerStatus ended) => policy?.Condition switch
    {
        RestartCondition.Always => true,
        RestartCondition.UnlessStopped => !ended.StoppedByUser,
        RestartCondition.OnFailure => ended.ExitCode != 0 && !ended.StoppedByUser
            && (policy.MaximumRetryCount == 0 || ended.RestartCount < policy.MaximumRetryCount),
        _ => false,
    };

    private ContainerStatus? StartAgain(ContainerStatus ended)
    {
        try
        {
            Start(ended.Id, out _, AttachStreams.None, size: null, starter: null, ended.RestartCount).Dispose();
            return Containers.ReadStatus(ended.Id);
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.NotFound)
        {
            return null;
        }
        catch (EngineException e)
        {
            // The command that found it goes on; the record tells why it does not run.
            using FileLock? monitorLock = MonitorLock.TryAcquire(Paths, ended.Id);
            if (monitorLock is null || !Containers.Exists(ended.Id))
            {
                return Containers.Exists(ended.Id) ? Containers.ReadStatus(ended.Id) : null;
            }

            ContainerStatus failed = ended with { Error = $"{ended.Error}; restarting it failed: {e.Message}" };
            Containers.WriteStatus(failed, durable: true);
            return failed;
        }
    }

    private HostConfig? TryReadHost(ContainerId id)
    {
        try
        {
            return Containers.ReadConfig(id).Host;
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.System)
        {
            // A damaged config must not keep its processes alive; without it the cgroup is the default one, and nothing restarts.
            return null;
        }
    }

    /// <summary>Kills the processes left in the container's cgroup, removes it and the runtime files. The caller holds the
    /// monitor lock, whose file stays.</summary>
    /// <returns>Whether there was a cgroup: a reboot leaves none.</returns>
    private bool KillRemains(ContainerId id, string? cgroupParent)
    {
        bool found = false;
        try
        {
            using ContainerCgroup? cgroup = ContainerCgroup.Open(CgroupHost.Detect(), HullPaths.CgroupPath(cgroupParent, id));
            if (cgroup is not null)
            {
                found = true;
                cgroup.Kill();
                cgroup.Delete();
            }
        }
        catch (Exception e) when (e is CgroupException or SyscallException)
        {
            throw new EngineException(EngineErrorKind.System, $"container {id.Short}: cleaning up after its killed monitor: {e.Message}", e);
        }

        try
        {
            Networks.Detach(id.Hex);
        }
        catch (Exception e) when (e is NetworkException or SyscallException)
        {
            throw new EngineException(EngineErrorKind.System, $"container {id.Short}: cleaning up its networks after its killed monitor: {e.Message}", e);
        }

        Containers.ClearRuntime(id);
        return found;
    }
}
