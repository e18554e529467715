using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Systemd;

namespace Hull.Runtime.Bundles;

/// <summary>The systemd cgroup driver: a container's cgroup is a scope's, which systemd makes and hull fills.</summary>
public sealed partial class BundleRuntime
{
    /// <summary>New containers get a scope of systemd's (<c>--systemd-cgroup</c>); those that are there stay as they are.</summary>
    public bool Systemd { get; init; }

    /// <summary>The scope that a spec asks for; null with the cgroupfs driver.</summary>
    /// <exception cref="CgroupException">linux.cgroupsPath is of another form; this host's cgroups are not v2.</exception>
    private ScopeName? ScopeOf(Spec spec, string id)
    {
        if (!Systemd)
        {
            return null;
        }

        return Host.Layout == CgroupLayout.Unified
            ? ScopeName.Parse(spec.Linux?.CgroupsPath, id)
            : throw new CgroupException(
                "--systemd-cgroup: hull's systemd driver needs a host with cgroup v2 alone (boot with systemd.unified_cgroup_hierarchy=1), or use the cgroupfs driver");
    }

    /// <summary>systemd makes the cgroup, around the process that holds the container's place.</summary>
    private ContainerCgroup MakeScope(BundleGround ground, LinuxResources? limits, Undo undo)
    {
        ScopeName scope = ground.Scope!;
        using (ManagerConnection manager = ManagerConnection.Open())
        {
            ContainerScope.Start(manager, scope, ground.State.Id, ground.Keeper!.Pid, limits);
        }

        undo.Push(() => StopScope(scope.Unit));
        return ContainerCgroup.Adopt(Host, ground.State.CgroupPath);
    }

    private static void StopScope(string unit)
    {
        using ManagerConnection manager = ManagerConnection.Open();
        ContainerScope.Stop(manager, unit);
    }

    private static void UpdateScope(string unit, LinuxResources limits)
    {
        using ManagerConnection manager = ManagerConnection.Open();
        ContainerScope.Update(manager, unit, limits);
    }
}
