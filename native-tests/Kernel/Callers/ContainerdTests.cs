using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's containerd with io.containerd.runc.v2 and its BinaryName, as <c>ctr --runc-binary</c> sets it.</summary>
public sealed class ContainerdTests(ContainerdHost host) : IClassFixture<ContainerdHost>
{
    private const string Image = "docker.io/library/busybox:latest";

    private string[] Runtime => ["--runtime", "io.containerd.runc.v2", "--runc-binary", host.Runtime, "--cgroup", $"{CallerHost.CgroupParent}/ctr"];

    private void Import() => host.Call("images", "import", Repository.Fixture("busybox")).Ok();

    [KernelFact(Needs.Callers)]
    public void Run_OutputAndExitCode_Arrive()
    {
        Import();

        Assert.Equal("out", host.Call(["run", "--rm", .. Runtime, Image, "one", "echo", "out"]).Ok());
        Assert.Equal(42, host.Call(["run", "--rm", .. Runtime, Image, "two", "sh", "-c", "exit 42"]).ExitCode);
        host.Call(["run", "--rm", .. Runtime, Image, "three", "nosuch"]).Fails(1, "executable file not found in $PATH");
    }

    [KernelFact(Needs.Callers)]
    public void Task_FromStartToDelete()
    {
        Import();
        host.Call(["run", "-d", .. Runtime, Image, "task", "sh", "-c", "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.1; done"]).Ok();
        Assert.Contains("RUNNING", host.Call("tasks", "ls").Ok(), StringComparison.Ordinal);
        Assert.Equal("inside", host.Call("tasks", "exec", "--exec-id", "e1", "task", "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done; echo inside").Ok());
        Assert.Contains("pids.current", host.Call("tasks", "metrics", "task").Ok(), StringComparison.Ordinal);
        Assert.NotEqual("", host.Call("tasks", "ps", "task").Ok());

        host.Call("tasks", "pause", "task").Ok();
        Assert.Contains("PAUSED", host.Call("tasks", "ls").Ok(), StringComparison.Ordinal);
        host.Call("tasks", "resume", "task").Ok();

        host.Call("tasks", "kill", "-s", "TERM", "task").Ok();
        Wait.Until(() => host.Call("tasks", "ls").Ok().Contains("STOPPED", StringComparison.Ordinal), 10, () => "not stopped");
        host.Call("tasks", "delete", "task");
        host.Call("containers", "delete", "task").Ok();
        Assert.DoesNotContain("task", host.Call("containers", "ls", "-q").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Callers)]
    public void Run_Terminal_IsInteractive()
    {
        Import();
        using Pty run = host.Terminal(["run", "--rm", "-t", .. Runtime, Image, "tty", "sh", "-c", "tty; read line; echo got-$line; exit 4"]);
        run.WaitForOutput("/dev/pts/0");
        run.Type("hello\r");
        run.WaitForOutput("got-hello");
        Assert.Equal(4, run.Finish());
    }
}
