using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>kill -9 of the monitor or of the CLI, and a full disk: the next command tells the truth and frees what is left.</summary>
public sealed class CrashTests(HullStore store) : KernelTest(store)
{
    /// <summary>The monitor of a container: the parent of its process 1.</summary>
    private string MonitorOf(string name) => Store.Shell($"awk '/^PPid:/ {{ print $2 }}' /proc/{Inspect(name, "{{.State.Pid}}")}/status").Ok();

    [KernelFact(Needs.Limits)]
    public void Monitor_Killed_NextCommandFreesAndTells()
    {
        Detached("box", null, "sh", "-c", "sleep 1001 & sleep 1002");
        string pid = Inspect("box", "{{.State.Pid}}");

        Store.Shell($"kill -9 {MonitorOf("box")}").Ok();

        Wait.Until(() => Inspect("box", "{{.State.Status}}") == "exited", 5, () => Inspect("box", "{{json .State}}"));
        Assert.Equal("137", Inspect("box", "{{.State.ExitCode}}"));
        Assert.Contains("monitor", Inspect("box", "{{.State.Error}}"), StringComparison.Ordinal);
        Wait.Until(() => !Directory.Exists($"/proc/{pid}"), 5, () => $"process {pid} of the container lives on");
        Store.Run("start", "box").Ok();
        Assert.Equal("running", Inspect("box", "{{.State.Status}}"));
    }

    [KernelFact(Needs.Root)]
    public void Monitor_KilledWithRemoveFlag_ContainerGoesWithTheNextCommand()
    {
        Detached("box", ["--rm"]);

        Store.Shell($"kill -9 {MonitorOf("box")}").Ok();

        Wait.Until(() => Store.Run("ps", "-aq").Ok().Length == 0, 5, () => Store.Run("ps", "-a").Stdout);
    }

    [KernelFact(Needs.Root)]
    public void Monitor_KilledWithRestartAlways_IsRestartedByTheNextCommand()
    {
        Detached("box", ["--restart", "always"]);

        for (int restarts = 1; restarts <= 2; restarts++)
        {
            Store.Shell($"kill -9 {MonitorOf("box")}").Ok();

            // Until the kernel has ended the monitor it still holds its lock, and the container runs.
            Wait.Until(() => Inspect("box", "{{.State.Status}} {{.RestartCount}}") == $"running {restarts}", 10, () => Store.Run("ps", "-a").Stdout);
        }

        // What a user starts begins a new series.
        Store.Run("stop", "-t", "0", "box").Ok();
        Store.Run("start", "box").Ok();
        Assert.Equal("0", Inspect("box", "{{.RestartCount}}"));
    }

    /// <summary>A tracer is told of the end of a process before its parent is.</summary>
    [KernelFact(Needs.Root | Needs.Strace)]
    public void Container_UnderStrace_EndsWithItsOwnExitCode()
    {
        for (int round = 0; round < 5; round++)
        {
            RunResult traced = Store.Shell($"strace -f -qq -o {Store.Scratch}/trace $HULL run --rm {Store.Busybox} sh -c 'true & echo traced; exit 3'", 60);

            Assert.Equal((3, "traced"), (traced.ExitCode, traced.Stdout.Trim()));
            Assert.Equal("", traced.Stderr);
        }
    }

    [KernelFact(Needs.Root)]
    public void Cli_KilledAtAnyInstantOfRun_LeavesAStoreThatWorks()
    {
        _ = Store.Busybox;
        for (int step = 0; step < 40; step++)
        {
            using HullProcess run = Store.Start("run", "--rm", "busybox", "sleep", "0.05");
            Thread.Sleep(TimeSpan.FromMilliseconds(step / 2.0 * Machine.TimeScale));
            run.Kill();
        }

        // Whatever was started ends by itself and removes itself; what was half made is swept.
        Wait.Until(() => Store.Run("ps", "-q").Ok().Length == 0, 10, () => Store.Run("ps", "-a").Stdout);
        Assert.Equal("works", InBusybox("echo works").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Cli_KilledWhileAttached_ContainerRunsOn()
    {
        using HullProcess run = Store.Start("run", "--name", "box", Store.Busybox, "sh", "-c", "echo ready; sleep 1; echo later; sleep 1000");
        run.WaitForOutput("ready");

        run.Kill();

        Wait.Until(() => Store.Run("logs", "box").Stdout.Contains("later", StringComparison.Ordinal), 10, () => Store.Run("logs", "box").Stdout);
        Assert.Equal("true", Inspect("box", "{{.State.Running}}"));
    }

    [KernelFact(Needs.Root)]
    public void Disk_FullWhileUnpacking_FailsAndLeavesNothing()
    {
        string small = Path.Combine(Store.Scratch, "small");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=20m small {small}").Ok();
        try
        {
            RunResult load = Store.Shell($"HULL_DATA_ROOT={small}/data $HULL load -i {Repository.Fixture("debian")}", 60);

            Assert.Contains("no space left", load.Fails(1), StringComparison.OrdinalIgnoreCase);
            Assert.Equal("", Store.Shell($"HULL_DATA_ROOT={small}/data $HULL images -q; find {small}/data -name 'new-*'").Ok());

            // Room again: what the failed load left must not stand in the way, nor take the space.
            Store.Shell($"HULL_DATA_ROOT={small}/data $HULL load -i {Repository.Fixture("busybox")}").Ok();
        }
        finally
        {
            Store.Shell($"umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Root)]
    public void Disk_FullWhenTheContainerEnds_TheRecordTellsTheTruthLater()
    {
        string small = Path.Combine(Store.Scratch, "brim");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=30m brim {small}").Ok();
        string hull = $"HULL_DATA_ROOT={small}/data $HULL";
        try
        {
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")}").Ok();
            string id = Store.Shell($"{hull} run -d --name brim busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; echo tick; done; exit 7'").Ok();
            Store.Shell($"dd if=/dev/zero of={small}/filler bs=4k 2>/dev/null; true").Ok();
            // Its output cannot be kept now, which must not end it.
            Thread.Sleep(500 * Machine.TimeScale);
            Assert.Equal("running", Store.Shell($"{hull} ps --format '{{{{.State}}}}'").Ok());

            string pid = Store.Shell($"{hull} inspect -f '{{{{.State.Pid}}}}' brim").Ok();
            string monitor = Store.Shell($"awk '/^PPid:/ {{ print $2 }}' /proc/{pid}/status; kill -9 {pid}").Ok();
            Wait.Until(() => !Directory.Exists($"/proc/{monitor}"), 10, () => "the monitor lives on");
            Store.Shell($"rm {small}/filler").Ok();

            Assert.Equal("exited 137", Store.Shell($"{hull} inspect -f '{{{{.State.Status}}}} {{{{.State.ExitCode}}}}' brim").Ok());
            Assert.Contains("No space left", Store.Shell($"{hull} inspect -f '{{{{.State.Error}}}}' brim").Ok(), StringComparison.OrdinalIgnoreCase);
            Assert.Equal("", Store.Shell($"find /sys/fs/cgroup -name {id}").Ok());
        }
        finally
        {
            Store.Shell($"{hull} rm -f brim; umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_AThousandCycles_LeaveNothingGrowing()
    {
        int cycles = 1000 / Machine.TimeScale;
        RunResult result = Store.Shell($"i=0; while [ $i -lt {cycles} ]; do $HULL run --rm {Store.Busybox} true || exit 1; i=$((i+1)); done", 300);

        result.Ok();
        Assert.Equal("", Store.Shell($"find {Store.DataRoot}/containers {Store.ExecRoot}/containers -mindepth 1 -maxdepth 1 | grep -E '[0-9a-f]{{64}}'; true").Ok());
    }
}
