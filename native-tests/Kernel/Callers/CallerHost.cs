using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Mount and network namespaces of the suite's own in which another engine runs, with hull as its runtime, and a pid namespace
/// where nobody outside has to find the engine's processes: what the engine mounts, links and leaves running goes with them.</summary>
public abstract class CallerHost : IDisposable
{
    /// <summary>The parent cgroup of everything that the engines make; the leak check looks below it.</summary>
    internal const string CgroupParent = "/hull-callers";

    /// <summary>A shell as PID 1, or in its place: it reaps orphans, for which podman waits.</summary>
    private const string Reaper = "ip link set lo up && echo up && while :; do sleep 1000 & wait; done";

    private readonly HullProcess _namespaces;
    private readonly string _init;
    private readonly List<HullProcess> _daemons = [];

    /// <param name="ownPids">A pid namespace too; without one, what a failed test leaves is <see cref="RemoveContainers"/>' to end.</param>
    protected CallerHost(bool ownPids = true)
    {
        Store = new HullStore();
        Directory.CreateDirectory(Store.ExecRoot);
        // The name under which the binary is the runtime, with a place of its own for its state.
        Runtime = Path.Combine(Store.Scratch, "hull-runtime");
        File.CreateSymbolicLink(Runtime, Repository.Hull);
        _namespaces = Store.StartProgram("unshare", ["--mount", "--net", "--kill-child", "--propagation", "private",
            .. ownPids ? ["--pid", "--mount-proc"] : Array.Empty<string>(), "sh", "-c", Reaper]);
        _namespaces.WaitForOutput("up");
        _init = File.ReadAllText($"/proc/{_namespaces.Pid}/task/{_namespaces.Pid}/children").Trim();
    }

    public HullStore Store { get; }

    public string Runtime { get; }

    /// <summary>The engine's client command and what selects this engine; its own words follow.</summary>
    protected abstract string[] Client { get; }

    protected virtual Dictionary<string, string?> Environment => new()
    {
        ["HULL_RUNTIME_ROOT"] = Path.Combine(Store.ExecRoot, "runtime"),
        ["TERM"] = "xterm",
    };

    /// <summary>The engine's client, to its end.</summary>
    public RunResult Call(params string[] words)
    {
        using HullProcess process = Start([.. Client, .. words]);
        process.CloseInput();
        return process.Finish(60);
    }

    /// <summary>The engine's client at a terminal.</summary>
    public Pty Terminal(params string[] words) => new(Machine.FindProgram("nsenter")!, [.. Enter, .. Client, .. words], Environment, rows: 30, columns: 90);

    /// <summary>A daemon, ended with this.</summary>
    protected void Serve(Func<bool> ready, params string[] command)
    {
        HullProcess daemon = Start(command);
        _daemons.Add(daemon);
        Wait.Until(() => daemon.HasExited || ready(), 30, () => $"{command[0]} is not ready\n{daemon.Stdout}\n{daemon.Stderr}");
        Assert.False(daemon.HasExited, $"{command[0]} ended: {daemon.Stderr}");
    }

    /// <summary>What a failed test may have left running.</summary>
    protected virtual void RemoveContainers() => Call("rm", "-af").Ok();

    public void Dispose()
    {
        RemoveContainers();
        // With its PID 1 every process of the pid namespace ends, and with them the mounts.
        _namespaces.Dispose();
        _daemons.ForEach(static daemon => daemon.Dispose());
        // The last processes are on their way out.
        Wait.Until(() => Machine.CgroupMounts.All(static mount => RemoveEmpty(mount + CgroupParent)), 10, () => $"cgroups are left in {CgroupParent}");
        Store.Dispose();
        GC.SuppressFinalize(this);
    }

    private string[] Enter => ["-t", _init, "-m", "-n", "-p", "--"];

    private HullProcess Start(string[] command) => new(Machine.FindProgram("nsenter")!, [.. Enter, .. command], Environment);

    /// <returns>Whether it is gone.</returns>
    private static bool RemoveEmpty(string cgroup)
    {
        if (Directory.Exists(cgroup))
        {
            Array.TrueForAll(Directory.GetDirectories(cgroup), RemoveEmpty);
            try
            {
                Directory.Delete(cgroup);
            }
            catch (IOException)
            {
                // EBUSY: a process or a cgroup is still in it.
                return false;
            }
        }

        return true;
    }
}
