using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine;

/// <summary>What <c>info</c> tells of the store and the host.</summary>
public sealed record EngineInfo
{
    public required int Containers { get; init; }
    public required int Running { get; init; }
    public required int Paused { get; init; }
    public required int Stopped { get; init; }
    public required int Images { get; init; }
    public required int Volumes { get; init; }
    public required string DataRoot { get; init; }
    public required string ExecRoot { get; init; }
    /// <summary>The machine's name.</summary>
    public required string HostName { get; init; }
    /// <summary>uname -r.</summary>
    public required string KernelVersion { get; init; }
    /// <summary>PRETTY_NAME of os-release(5).</summary>
    public required string OperatingSystem { get; init; }
    /// <summary><c>x86_64</c>, <c>aarch64</c>.</summary>
    public required string Architecture { get; init; }
    public required int Processors { get; init; }
    /// <summary>Bytes.</summary>
    public required long Memory { get; init; }
    /// <summary><c>2</c> or <c>1</c>, as Docker shows it: 1 where controllers are on v1 hierarchies.</summary>
    public required string CgroupVersion { get; init; }
    /// <summary><c>unified</c>, <c>hybrid</c>, <c>legacy</c>.</summary>
    public required string CgroupLayout { get; init; }
    /// <summary><c>seccomp</c>, <c>apparmor</c>, <c>cgroupns</c>.</summary>
    public required IReadOnlyList<string> SecurityOptions { get; init; }
}

/// <summary>info.</summary>
public sealed partial class Engine
{
    public EngineInfo Info()
    {
        int running = 0;
        int paused = 0;
        IReadOnlyList<ContainerStatus> containers = List();
        foreach (ContainerStatus status in containers)
        {
            running += status.State is ContainerState.Running or ContainerState.Restarting ? 1 : 0;
            paused += status.State == ContainerState.Paused ? 1 : 0;
        }

        CgroupLayout layout = CgroupHost.Detect().Layout;
        List<string> security = ["name=seccomp,profile=builtin", "name=cgroupns"];
        if (AppArmor.IsEnabled())
        {
            security.Insert(0, "name=apparmor");
        }

        return new EngineInfo
        {
            Containers = containers.Count,
            Running = running,
            Paused = paused,
            Stopped = containers.Count - running - paused,
            Images = Images.List().Count,
            Volumes = Volumes.List().Count,
            DataRoot = Paths.DataRoot,
            ExecRoot = Paths.ExecRoot,
            HostName = HostName(),
            KernelVersion = HostText("/proc/sys/kernel/osrelease"),
            OperatingSystem = OperatingSystem(),
            Architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
            {
                System.Runtime.InteropServices.Architecture.X64 => "x86_64",
                System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
                System.Runtime.InteropServices.Architecture other => other.ToString(),
            },
            Processors = Environment.ProcessorCount,
            Memory = MemoryTotal(),
            CgroupVersion = layout == Linux.Cgroups.CgroupLayout.Unified ? "2" : "1",
            CgroupLayout = layout.ToString().ToLowerInvariant(),
            SecurityOptions = security,
        };
    }

    private static string OperatingSystem()
    {
        foreach (string line in HostText("/etc/os-release").Split('\n'))
        {
            if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
            {
                return line["PRETTY_NAME=".Length..].Trim('"');
            }
        }

        return "Linux";
    }

    /// <summary>MemTotal of proc(5), KiB there.</summary>
    private static long MemoryTotal()
    {
        foreach (string line in HostText("/proc/meminfo").Split('\n'))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal)
                && long.TryParse(line["MemTotal:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), out long kib))
            {
                return kib << 10;
            }
        }

        return 0;
    }

    private static string HostText(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        return file is null ? "" : System.Text.Encoding.UTF8.GetString(Files.ReadAll(file, 1 << 20, path)).TrimEnd();
    }
}
