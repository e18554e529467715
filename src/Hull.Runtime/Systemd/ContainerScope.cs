using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Systemd;

/// <summary>A container's scope, a transient unit of systemd's whose cgroup is handed to hull (Delegate=yes).</summary>
/// <remarks>systemd.io/CGROUP_DELEGATION: what is below the scope's cgroup, and with it the cgroup's own files, is ours from then on.</remarks>
internal static class ContainerScope
{
    /// <summary>Makes the scope around a process; its cgroup exists afterwards.</summary>
    /// <exception cref="ContainerException">systemd refused, or there is a unit of that name with processes in it.</exception>
    public static void Start(ManagerConnection manager, ScopeName name, string id, int pid, LinuxResources? limits)
    {
        List<UnitProperty> properties =
        [
            new("Description", $"hull container {id}"),
            new("Slice", name.Slice),
            new("Delegate", true),
            new("PIDs", (uint[])[(uint)pid]),
            new("MemoryAccounting", true),
            new("CPUAccounting", true),
            new("IOAccounting", true),
            new("TasksAccounting", true),
            // A container is not stopped before others, nor because of them, when the machine goes down.
            new("DefaultDependencies", false),
            .. ScopeLimits.Of(limits),
        ];
        BusMessage job = StartTransient(manager, name.Unit, properties, ManagerConnection.UnitExists);
        if (job.Kind == BusMessageKind.Error)
        {
            // One that failed is remembered until somebody has seen it; one with processes in it is not ours to take.
            ResetFailed(manager, name.Unit);
            job = StartTransient(manager, name.Unit, properties);
        }

        if (manager.WaitForJob(job) is not "done" and var result)
        {
            ResetFailed(manager, name.Unit);
            throw new ContainerException(ContainerFault.Engine, $"systemd could not start {name.Unit}: {result} (journalctl -u {name.Unit} may say why)");
        }
    }

    /// <summary>Tells systemd of changed limits, until the unit's end.</summary>
    public static void Update(ManagerConnection manager, string unit, LinuxResources limits)
    {
        IReadOnlyList<UnitProperty> properties = ScopeLimits.Of(limits);
        if (properties.Count > 0)
        {
            manager.Call("SetUnitProperties", "sba(sv)", arguments =>
            {
                arguments.WriteText(unit);
                arguments.WriteBoolean(true);
                UnitProperty.WriteAll(arguments, properties);
            });
        }
    }

    /// <summary>Ends the scope and makes systemd forget it. One that has ended with its last process is gone already.</summary>
    public static void Stop(ManagerConnection manager, string unit)
    {
        BusMessage job = manager.Call("StopUnit", "ss", arguments =>
        {
            arguments.WriteText(unit);
            arguments.WriteText("replace");
        }, ManagerConnection.NoSuchUnit);
        if (job.Kind == BusMessageKind.Error)
        {
            return;
        }

        if (manager.WaitForJob(job) is not "done" and var result)
        {
            throw new ContainerException(ContainerFault.Engine, $"systemd could not stop {unit}: {result} (systemctl status {unit} may say why)");
        }

        ResetFailed(manager, unit);
    }

    private static BusMessage StartTransient(ManagerConnection manager, string unit, List<UnitProperty> properties, string? tolerated = null) =>
        manager.Call("StartTransientUnit", "ssa(sv)a(sa(sv))", arguments =>
        {
            arguments.WriteText(unit);
            arguments.WriteText("replace");
            UnitProperty.WriteAll(arguments, properties);
            // No further units.
            arguments.WriteArray(8, static _ => { });
        }, tolerated);

    /// <summary>A unit that did not fail, or is forgotten already, is what is wanted.</summary>
    private static void ResetFailed(ManagerConnection manager, string unit) =>
        manager.Call("ResetFailedUnit", "s", arguments => arguments.WriteText(unit), ManagerConnection.NoSuchUnit);
}
