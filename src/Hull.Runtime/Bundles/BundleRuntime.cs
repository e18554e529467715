using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Init;

namespace Hull.Runtime.Bundles;

/// <summary>The OCI runtime's operations on bundles (runtime-spec runtime.md); what <c>hull runtime</c> calls.</summary>
/// <remarks>For single-threaded one-shot processes: create, run and exec clone.</remarks>
public sealed partial class BundleRuntime
{
    private const int SigKill = 9;
    private readonly RuntimeStore _store;
    private CgroupHost? _host;

    public BundleRuntime(string root) => _store = new RuntimeStore(root);

    /// <summary>Takes what went wrong without being an error: a poststart or poststop hook that failed.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Read from the mount table once, and only by the operations that need it.</summary>
    public CgroupHost Host => _host ??= CgroupHost.Detect();

    /// <exception cref="ContainerException">There is no such container.</exception>
    public (ContainerState State, string Status) Find(string id)
    {
        ContainerState state = _store.Load(id);
        return (state, Status(state));
    }

    /// <summary>The spec as it was at create; the bundle may have changed or gone since.</summary>
    public Spec SpecOf(string id) => BundleSpec.Read(_store.DirectoryOf(id), out _);

    /// <summary>Signals the first process; with <paramref name="all"/> every process of the container's cgroup.</summary>
    /// <remarks>Without a pid namespace of its own a container does not end with its first process: SIGKILL then goes to all, as runc
    /// 1.2 has it, and <paramref name="all"/> also reaches what the first process has left behind, for which containerd asks.</remarks>
    public void Kill(string id, int signal, bool all)
    {
        ContainerState state = _store.Load(id);
        string status = Status(state);
        if (status == "creating")
        {
            // runtime.md, "Kill": no effect on what is neither created nor running.
            throw RuntimeStore.BeingMade(id);
        }

        bool stopped = status == "stopped";
        bool every = all || (signal == SigKill && !NamespacePlan.MakesPid(SpecOf(id).Linux));
        using ContainerCgroup? cgroup = every ? ContainerCgroup.Open(Host, state.CgroupPath) : null;
        IReadOnlyList<int> processes = cgroup?.Processes() ?? [];
        if (stopped && processes.Count == 0)
        {
            throw new ContainerException(ContainerFault.Engine, "container not running");
        }

        if (every && signal == SigKill)
        {
            cgroup?.Kill();
            return;
        }

        foreach (int pid in every ? processes : [state.Pid])
        {
            Processes.Kill(pid, signal);
        }
    }

    /// <summary>Stops every process of the container where it is, until <see cref="Resume"/>.</summary>
    public void Pause(string id)
    {
        using FileLock held = _store.Lock(id, out ContainerState state);
        if (Status(state) is not ("running" or "created"))
        {
            throw new ContainerException(ContainerFault.Engine, "container not running");
        }

        using ContainerCgroup cgroup = CgroupOf(state);
        cgroup.Freeze();
    }

    public void Resume(string id)
    {
        using FileLock held = _store.Lock(id, out ContainerState state);
        if (Status(state) != "paused")
        {
            throw new ContainerException(ContainerFault.Engine, "container not paused");
        }

        using ContainerCgroup cgroup = CgroupOf(state);
        cgroup.Thaw();
    }

    /// <summary>Every process of the container, by the ids of the caller's pid namespace.</summary>
    public IReadOnlyList<int> ProcessIds(string id)
    {
        ContainerState state = _store.Load(id);
        if (Status(state) == "stopped")
        {
            throw new ContainerException(ContainerFault.Engine, "container not running");
        }

        using ContainerCgroup cgroup = CgroupOf(state);
        return cgroup.Processes();
    }

    /// <exception cref="ContainerException">It was removed behind our back.</exception>
    public ContainerCgroup CgroupOf(ContainerState state) => ContainerCgroup.Open(Host, state.CgroupPath)
        ?? throw new ContainerException(ContainerFault.Engine, $"cgroup {state.CgroupPath} of the container is gone");

    /// <summary>Frees what a stopped container has left; with <paramref name="force"/> kills a running one first.</summary>
    public void Delete(string id, bool force)
    {
        if (force && !_store.Exists(id))
        {
            // runc: delete --force of what is not there is done already, and removes what a killed create has left.
            _store.RemoveUnfinished(id);
            return;
        }

        using FileLock held = _store.Lock(id, out ContainerState state);
        string status = Status(state);
        if (status is not ("stopped" or "created") && !force)
        {
            throw new ContainerException(ContainerFault.Engine, $"cannot delete container {id} that is not stopped: {status}");
        }

        if (status != "stopped")
        {
            Processes.Kill(state.Pid, SigKill);
        }

        Destroy(state);
    }

    /// <summary>Undoes the create of a container whose first process has ended; its poststop hooks come last.</summary>
    private void Destroy(ContainerState state)
    {
        using ContainerCgroup? cgroup = ContainerCgroup.Open(Host, state.CgroupPath);
        cgroup?.Kill();
        if (state.SystemdUnit is { } unit)
        {
            StopScope(unit);
        }

        cgroup?.Delete();
        _store.Remove(state.Id);
        BundleHooks.Poststop(state, Warn);
    }

    public IReadOnlyList<ListedContainer> List() =>
        [.. _store.List().Select(_store.Load).Select(state => new ListedContainer(state, Status(state)))];

    /// <summary>The state of an existing container, for exec.</summary>
    /// <param name="paused">A frozen one will do: the process starts when the container is resumed.</param>
    public ContainerState Running(string id, bool paused = false)
    {
        // Held by whoever is still making it: nobody may join namespaces that are half made.
        using FileLock held = _store.Lock(id, out ContainerState state);
        string status = Status(state);
        return status is "running" or "created" || (paused && status == "paused")
            ? state
            : throw new ContainerException(ContainerFault.Engine, $"cannot exec in a {status} container"
                + (status == "paused" ? " (--ignore-paused starts it when the container is resumed)" : ""));
    }

    private string Status(ContainerState state)
    {
        if (ProcessStat.TryRead(state.Pid) is not { IsDead: false } process || process.StartTicks != state.StartTime)
        {
            return "stopped";
        }

        if (_store.IsBeingMade(state.Id))
        {
            return "creating";
        }

        using ContainerCgroup? cgroup = ContainerCgroup.Open(Host, state.CgroupPath);
        return cgroup?.IsFrozen == true ? "paused" : _store.HasGate(state.Id) ? "created" : "running";
    }
}
