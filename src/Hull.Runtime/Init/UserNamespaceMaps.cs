using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Writes uid_map and gid_map of a child, user_namespaces(7).</summary>
internal static class UserNamespaceMaps
{
    public static void Write(int pid, LinuxConfig linux)
    {
        WriteMap(pid, "uid_map", linux.UidMappings);
        WriteMap(pid, "gid_map", linux.GidMappings);
    }

    /// <summary>The host's id for id 0 of the container; 0 where it is not mapped.</summary>
    public static uint HostRoot(IReadOnlyList<IdMapping>? mappings) =>
        mappings?.FirstOrDefault(static mapping => mapping.ContainerID == 0)?.HostID ?? 0;

    /// <summary>A user namespace with these maps and no process, by its descriptor: what idmapped mounts take. A child makes it
    /// and ends.</summary>
    public static SafeFileHandle MakeNamespace(LinuxConfig linux)
    {
        InitPlan plan = new();
        ChildGates gates = new(plan);
        gates.AddFirst(plan);
        gates.Wait(plan, "until the namespace is open; then this process has done its work");
        using StartedChild child = StartedChild.Clone(plan, CloneFlags.NewUser, null, gates,
            static (step, errno) => new ContainerException(ContainerFault.Engine, new SyscallException(step.Call, step.Target, errno).Message));
        try
        {
            Write(child.Pid, linux);
            return Files.Open($"/proc/{child.Pid}/ns/user", OpenFlags.ReadOnly);
        }
        finally
        {
            child.Kill();
        }
    }

    private static void WriteMap(int pid, string name, IReadOnlyList<IdMapping>? mappings)
    {
        if (mappings is null or { Count: 0 })
        {
            throw new ContainerException(ContainerFault.Engine, $"linux.{(name == "uid_map" ? "uid" : "gid")}Mappings: a new user namespace needs at least one mapping");
        }

        StringBuilder text = new();
        foreach (IdMapping mapping in mappings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{mapping.ContainerID} {mapping.HostID} {mapping.Size}\n");
        }

        string path = $"/proc/{pid}/{name}";
        using SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly);
        // One write(2): the kernel takes a map once and whole.
        Files.Write(file, Encoding.UTF8.GetBytes(text.ToString()), $"{path} ({text.ToString().TrimEnd('\n')})");
    }
}
