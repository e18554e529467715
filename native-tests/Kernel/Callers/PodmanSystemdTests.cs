using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's podman on a cgroup v2 host with systemd, by either of its cgroup managers.</summary>
/// <remarks>One container's whole life, not <see cref="EngineTests"/>: where this runs a command of podman's takes seconds.</remarks>
public sealed class PodmanSystemdTests
{
    private const string Waits = "tty; trap 'exit 3' TERM; trap 'echo usr1' USR1; echo up; while :; do sleep 0.1; done";

    [KernelTheory(Needs.Systemd | Needs.Podman)]
    [InlineData("systemd", ".scope")]
    [InlineData("cgroupfs", "")]
    public void ContainerAtATerminal_FromRunToRemove(string manager, string suffix)
    {
        using PodmanHost host = new(manager);
        string[] run = ["run", "--network", "none", "--cgroup-parent", host.Parent, "--memory", "64m", "--pids-limit", "50", "--cpus", "0.25"];
        host.Call([.. run, "--rm", "busybox", "nosuch"]).Fails(127, "executable file not found in $PATH");

        using Pty terminal = host.Terminal([.. run, "-it", "--name", "live", "busybox", "sh", "-c", Waits]);
        terminal.WaitForOutput("/dev/pts/0\r\nup");
        string parent = Path.Join(Machine.CgroupV2Mount, host.Parent);
        string cgroup = Path.Join(parent, $"libpod-{host.Call("inspect", "-f", "{{.Id}}", "live").Ok()}{suffix}");
        string Value(string file) => File.ReadAllText(Path.Join(cgroup, file)).Trim();
        Assert.Equal(("67108864", "50", "25000 100000"), (Value("memory.max"), Value("pids.max"), Value("cpu.max")));
        Assert.Contains("/ 67.11MB", host.Call("stats", "--no-stream", "live").Ok(), StringComparison.Ordinal);
        using (Pty exec = host.Terminal("exec", "-it", "live", "sh", "-c", "tty; exit 7"))
        {
            exec.WaitForOutput("/dev/pts/1");
            Assert.Equal(7, exec.Finish());
        }

        host.Call("pause", "live").Ok();
        Assert.Contains("frozen 1", Value("cgroup.events"), StringComparison.Ordinal);
        host.Call("unpause", "live").Ok();
        Assert.Contains("frozen 0", Value("cgroup.events"), StringComparison.Ordinal);
        host.Call("update", "--cpus", "0.5", "--memory", "128m", "live").Ok();
        Assert.Equal(("134217728", "50", "50000 100000"), (Value("memory.max"), Value("pids.max"), Value("cpu.max")));

        host.Call("kill", "-s", "USR1", "live").Ok();
        terminal.WaitForOutput("usr1");
        host.Call("stop", "live").Ok();
        Assert.Equal(3, terminal.Finish());
        Assert.Equal("live", host.Call("rm", "live").Ok());
        // conmon, whose cgroup is there too, has something to clean up yet.
        Wait.Until(() => Directory.GetDirectories(parent, "libpod-*").Length == 0, 10, () => $"cgroups are left in {parent}");
    }
}
