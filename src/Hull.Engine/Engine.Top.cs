using Hull.Engine.Containers;
using Hull.Linux.Cgroups;
using Hull.Runtime.Cgroups;

namespace Hull.Engine;

/// <summary>top.</summary>
public sealed partial class Engine
{
    /// <summary>The processes in the container's cgroup.</summary>
    /// <param name="arguments">As for <see cref="ProcessTable.Read"/>.</param>
    /// <exception cref="EngineException">Conflict: it does not run; Invalid: an argument that is not known.</exception>
    public ProcessList Top(ContainerId id, IReadOnlyList<string> arguments)
    {
        ContainerStatus status = Status(id);
        if (status.State is not (ContainerState.Running or ContainerState.Paused))
        {
            throw EngineException.Conflict($"container {status.Name} is not running");
        }

        string path = HullPaths.CgroupPath(Containers.ReadConfig(id).Host.CgroupParent, id);
        using ContainerCgroup cgroup = ContainerCgroup.Open(CgroupHost.Detect(), path)
            ?? throw EngineException.Conflict($"container {status.Name} is not running");
        return ProcessTable.Read(cgroup.Processes(), arguments);
    }
}
