using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Bundles;

/// <summary>Changing limits.</summary>
public sealed partial class BundleRuntime
{
    /// <summary>Changes limits of a container that has not ended. Device rules stay as they are, as with runc.</summary>
    /// <param name="notes">Takes sentences on limits that hold in another way than asked.</param>
    /// <exception cref="CgroupException">A limit cannot be set; those before it are.</exception>
    public void Update(string id, LinuxResources resources, IList<string> notes)
    {
        using FileLock held = _store.Lock(id, out ContainerState state);
        if (Status(state) == "stopped")
        {
            throw new ContainerException(ContainerFault.Engine, "container not running");
        }

        using ContainerCgroup cgroup = CgroupOf(state);
        if (state.SystemdUnit is { } unit)
        {
            UpdateScope(unit, cgroup.WithCurrent(resources));
        }

        cgroup.Update(resources, notes);
    }
}
