using System.Globalization;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>What a user of another engine does in a day, with hull in runc's place. The words are the same for docker and podman.</summary>
public abstract class EngineTests(CallerHost host)
{
    private const string Waits = "trap 'exit 3' TERM; trap 'echo usr1' USR1; echo up; while :; do sleep 0.1; done";

    /// <summary><c>run --network none WORDS</c>: neither engine has a network here.</summary>
    private RunResult Run(params string[] words) => host.Call(["run", "--network", "none", "--cgroup-parent", CallerHost.CgroupParent, .. words]);

    private string Detached(string name, params string[] command)
    {
        Run(["-d", "--name", name, "busybox", .. command]).Ok();
        Wait.Until(() => host.Call("logs", name).Stdout.Contains("up", StringComparison.Ordinal), 10, () => host.Call("logs", name).Stderr);
        return name;
    }

    [KernelFact(Needs.Callers)]
    public void Run_OutputAndExitCode_Arrive()
    {
        RunResult result = Run("--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 42");

        Assert.Equal((42, "out\n", "err\n"), (result.ExitCode, result.Stdout, result.Stderr));
    }

    [KernelTheory(Needs.Callers)]
    [InlineData("nosuch", 127, "executable file not found in $PATH")]
    [InlineData("/etc", 126, "permission denied")]
    public void Run_CommandThatCannotBe_HasTheEnginesExitCodeAndOurWords(string command, int code, string words) =>
        Run("--rm", "busybox", command).Fails(code, words);

    [KernelFact(Needs.Callers)]
    public void Run_LimitsAndRights_AreInForce()
    {
        string seen = Run("--rm", "--read-only", "--tmpfs", "/x", "--cap-drop", "ALL", "--user", "1000:1000", "--memory", "64m", "--pids-limit", "50",
            "--hostname", "web", "-w", "/tmp", "busybox", "sh", "-c",
            "id -u; pwd; hostname; touch /x/a && echo written; touch /y; grep CapEff: /proc/self/status;"
            + " cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max").Stdout;

        Assert.Equal(["1000", "/tmp", "web", "written", "CapEff:\t0000000000000000", "67108864"], seen.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [KernelFact(Needs.Callers)]
    public void Exec_OutputExitCodeAndEnvironment_Arrive()
    {
        string name = Detached("exec", "sh", "-c", Waits);

        Assert.Equal("x=1", host.Call("exec", "-e", "X=1", name, "sh", "-c", "echo x=$X").Ok());
        Assert.Equal(7, host.Call("exec", name, "sh", "-c", "exit 7").ExitCode);
        Assert.NotEqual(0, host.Call("exec", name, "nosuch").ExitCode);
        host.Call("rm", "-f", name).Ok();
    }

    [KernelFact(Needs.Callers)]
    public void RunAndExec_Terminal_IsInteractive()
    {
        using Pty run = host.Terminal("run", "--network", "none", "--rm", "-it", "--name", "tty", "busybox", "sh", "-c", "tty; read line; echo got-$line; exit 4");
        run.WaitForOutput("/dev/pts/0");
        using (Pty exec = host.Terminal("exec", "-it", "tty", "sh", "-c", "tty; read line; exit $line"))
        {
            exec.WaitForOutput("/dev/pts/1");
            exec.Type("9\r");
            Assert.Equal(9, exec.Finish());
        }

        run.Type("hello\r");
        run.WaitForOutput("got-hello");
        Assert.Equal(4, run.Finish());
    }

    [KernelFact(Needs.Callers)]
    public void PauseUpdateStats_OfARunningContainer()
    {
        string name = Detached("live", "sh", "-c", Waits);
        Assert.Contains("live", host.Call("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name).Ok(), StringComparison.Ordinal);
        Assert.Contains("sleep 0.1", host.Call("top", name).Ok(), StringComparison.Ordinal);

        host.Call("pause", name).Ok();
        Assert.Equal("paused", host.Call("inspect", "-f", "{{.State.Status}}", name).Ok());
        host.Call("unpause", name).Ok();
        Assert.Equal("running", host.Call("inspect", "-f", "{{.State.Status}}", name).Ok());

        host.Call("update", "--cpus", "0.5", name).Ok();
        string quota = host.Call("exec", name, "sh", "-c", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cut -d' ' -f1 /sys/fs/cgroup/cpu.max").Ok();
        Assert.Equal(50000, int.Parse(quota, CultureInfo.InvariantCulture));
        host.Call("rm", "-f", name).Ok();
    }

    [KernelFact(Needs.Callers)]
    public void KillStopStartRemove_FollowTheContainersLife()
    {
        string name = Detached("life", "sh", "-c", Waits);
        host.Call("kill", "-s", "USR1", name).Ok();
        Wait.Until(() => host.Call("logs", name).Stdout.Contains("usr1", StringComparison.Ordinal), 10, () => "USR1 did not arrive");

        host.Call("stop", name).Ok();
        Assert.Equal("3", host.Call("wait", name).Ok());
        host.Call("start", name).Ok();
        Assert.Equal("running", host.Call("inspect", "-f", "{{.State.Status}}", name).Ok());
        host.Call("kill", name).Ok();
        Assert.Equal("137", host.Call("wait", name).Ok());
        host.Call("rm", name).Ok();
        Assert.Equal("", host.Call("ps", "-aq").Ok());
    }
}

/// <summary>Debian's podman with <c>runtime = "hull-runtime"</c>.</summary>
public sealed class PodmanTests(PodmanHost host) : EngineTests(host), IClassFixture<PodmanHost>;

/// <summary>Debian's docker.io with <c>--add-runtime hull=…</c>.</summary>
public sealed class DockerTests(DockerHost host) : EngineTests(host), IClassFixture<DockerHost>;
