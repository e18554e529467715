using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Which namespaces a container makes and which it joins.</summary>
internal sealed class NamespacePlan : IDisposable
{
    /// <summary>The spec's words.</summary>
    public static readonly IReadOnlyDictionary<string, CloneFlags> Kinds = new Dictionary<string, CloneFlags>(StringComparer.Ordinal)
    {
        ["pid"] = CloneFlags.NewPid,
        ["network"] = CloneFlags.NewNetwork,
        ["mount"] = CloneFlags.NewMount,
        ["ipc"] = CloneFlags.NewIpc,
        ["uts"] = CloneFlags.NewUts,
        ["user"] = CloneFlags.NewUser,
        ["cgroup"] = CloneFlags.NewCgroup,
        ["time"] = CloneFlags.NewTime,
    };

    private readonly List<(CloneFlags Kind, string Path, SafeFileHandle Handle)> _joined = [];

    private NamespacePlan()
    {
    }

    /// <summary>Flags for clone3. The cgroup namespace is not among them: it is unshared once the child is in its cgroup.</summary>
    public CloneFlags Made { get; private set; }

    public bool MakesCgroup { get; private set; }

    /// <summary>Not among the flags either, see <see cref="TimeNamespacePlan"/>.</summary>
    public bool MakesTime { get; private set; }

    /// <summary>Whether the container's cgroup namespace is another than ours.</summary>
    public bool HasCgroup => MakesCgroup || _joined.Exists(j => j.Kind == CloneFlags.NewCgroup);

    public bool MakesUser => (Made & CloneFlags.NewUser) != 0;

    public bool JoinsUser => _joined.Exists(j => j.Kind == CloneFlags.NewUser);

    /// <summary>Whether a container has a pid namespace of its own, so that everything in it ends with its first process.</summary>
    public static bool MakesPid(LinuxConfig? linux) =>
        linux?.Namespaces?.Any(static one => one is { Type: "pid", Path: null or "" }) == true;

    public static NamespacePlan Of(LinuxConfig? linux)
    {
        NamespacePlan plan = new();
        foreach (Namespace item in linux?.Namespaces ?? [])
        {
            if (!Kinds.TryGetValue(item.Type, out CloneFlags kind))
            {
                throw new ContainerException(ContainerFault.Engine, $"linux.namespaces: '{item.Type}' is not a kind of namespace");
            }

            if (item.Path is { Length: > 0 } path)
            {
                plan.Join(kind, path);
            }
            else if (kind == CloneFlags.NewCgroup)
            {
                plan.MakesCgroup = true;
            }
            else if (kind == CloneFlags.NewTime)
            {
                plan.MakesTime = true;
            }
            else
            {
                plan.Made |= kind;
            }
        }

        if ((plan.Made & CloneFlags.NewMount) == 0)
        {
            throw new ContainerException(ContainerFault.Engine,
                "linux.namespaces: a container needs a mount namespace of its own; its root filesystem would replace the host's");
        }

        TimeNamespacePlan.Check(plan.MakesTime, linux?.TimeOffsets);
        return plan;
    }

    /// <summary>Steps that join; the user namespace first, for it decides over the rights to join the others.</summary>
    public void AddJoins(InitPlan plan)
    {
        foreach ((CloneFlags kind, string path, SafeFileHandle handle) in _joined.OrderByDescending(j => j.Kind == CloneFlags.NewUser))
        {
            if (kind != CloneFlags.NewPid)
            {
                plan.Call("setns", SystemCallNumbers.setns, path, "shared with who owns it",
                    [PlanArgument.Named(handle.DangerousGetHandle(), path), PlanArgument.Named((nint)kind, kind)]);
            }
        }
    }

    /// <summary>A pid namespace is joined by the parent, before the clone: setns(2) changes where children are born, not where
    /// the caller is. Disposing puts it back.</summary>
    public PidNamespaceScope? EnterPidNamespace()
    {
        (CloneFlags Kind, string Path, SafeFileHandle Handle) pid = _joined.Find(j => j.Kind == CloneFlags.NewPid);
        return pid.Handle is null ? null : new PidNamespaceScope(pid.Handle, pid.Path);
    }

    public void Dispose() => _joined.ForEach(j => j.Handle.Dispose());

    private void Join(CloneFlags kind, string path)
    {
        try
        {
            _joined.Add((kind, path, Files.Open(path, OpenFlags.ReadOnly)));
        }
        catch (SyscallException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"cannot join the namespace {path}: {error.Message}", error);
        }
    }
}

/// <summary>Children of this process are born in another pid namespace until this is disposed.</summary>
internal sealed class PidNamespaceScope : IDisposable
{
    private readonly SafeFileHandle _own = Files.Open("/proc/self/ns/pid", OpenFlags.ReadOnly);

    public PidNamespaceScope(SafeFileHandle other, string path) => Set(other, path);

    public void Dispose()
    {
        Set(_own, "/proc/self/ns/pid");
        _own.Dispose();
    }

    private static void Set(SafeFileHandle handle, string path)
    {
        nint result = RawSyscall.Invoke(SystemCallNumbers.setns, handle.DangerousGetHandle(), (nint)CloneFlags.NewPid);
        if (result < 0)
        {
            throw new SyscallException("setns", path, (Errno)(-result), "pid namespace");
        }
    }
}
