using Hull.Engine.Containers;

namespace Hull.Engine;

/// <summary>Where a store keeps what lasts (data root) and what a reboot voids (exec root). Stores with different roots
/// do not know of each other.</summary>
/// <remarks>Immutable. Paths are absolute; nothing here touches the disk.</remarks>
public sealed class HullPaths
{
    public const string DefaultDataRoot = "/var/lib/hull";
    public const string DefaultExecRoot = "/run/hull";

    public HullPaths(string dataRoot, string execRoot)
    {
        DataRoot = Absolute(dataRoot);
        ExecRoot = Absolute(execRoot);
        Containers = DataRoot + "/containers";
        Names = Containers + "/names";
        Volumes = DataRoot + "/volumes";
        RuntimeContainers = ExecRoot + "/containers";
    }

    /// <summary>The roots given, else <c>HULL_DATA_ROOT</c> and <c>HULL_EXEC_ROOT</c>, else the defaults.</summary>
    public static HullPaths Resolve(string? dataRoot = null, string? execRoot = null) => new(
        dataRoot ?? FromEnvironment("HULL_DATA_ROOT") ?? DefaultDataRoot,
        execRoot ?? FromEnvironment("HULL_EXEC_ROOT") ?? DefaultExecRoot);

    public string DataRoot { get; }

    public string ExecRoot { get; }

    /// <summary><c>containers/</c> of the data root: one directory a container, and <see cref="Names"/>.</summary>
    public string Containers { get; }

    /// <summary>One symbolic link a name, to the container's id: making it claims the name.</summary>
    public string Names { get; }

    public string Volumes { get; }

    /// <summary><c>containers/</c> of the exec root.</summary>
    public string RuntimeContainers { get; }

    /// <summary>The container's lasting directory: records, upper, work, managed files, logs. Also its bundle.</summary>
    public string ContainerDirectory(ContainerId id) => string.Concat(Containers, "/", id.Hex);

    /// <summary>The immutable <see cref="ContainerConfig"/>.</summary>
    public string ConfigFile(ContainerId id) => string.Concat(Containers, "/", id.Hex, "/config.json");

    /// <summary>The <see cref="ContainerStatus"/>.</summary>
    public string StatusFile(ContainerId id) => string.Concat(Containers, "/", id.Hex, "/status.json");

    /// <summary>The json-file log, named as Docker names it.</summary>
    public string LogFile(ContainerId id) => string.Concat(Containers, "/", id.Hex, "/", id.Hex) + "-json.log";

    /// <summary>The container's directory until reboot; exists only while a monitor lives or its remains are not yet swept.</summary>
    public string RuntimeDirectory(ContainerId id) => string.Concat(RuntimeContainers, "/", id.Hex);

    /// <summary>Held with flock by the monitor for its whole life: the truth about "running".</summary>
    public string MonitorLock(ContainerId id) => string.Concat(RuntimeContainers, "/", id.Hex, "/lock");

    /// <summary>Where the monitor serves attach, exec, signal and resize.</summary>
    public string MonitorSocket(ContainerId id) => string.Concat(RuntimeContainers, "/", id.Hex, "/monitor.sock");

    /// <summary>Path of the container's cgroup below each hierarchy's root: a parent of <c>--cgroup-parent</c>, or <c>hull</c>.</summary>
    public static string CgroupPath(string? parent, ContainerId id) =>
        string.Concat("/", (parent is { Length: > 0 } p ? p : "hull").Trim('/'), "/", id.Hex);

    private static string Absolute(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    private static string? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
