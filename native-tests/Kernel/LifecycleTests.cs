using System.Diagnostics;
using System.Globalization;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The life of a detached container: create, start, stop, kill, restart, pause, wait, rm, and what ps and inspect
/// say of each state.</summary>
public sealed class LifecycleTests(HullStore store) : KernelTest(store)
{
    private string State(string name) => Inspect(name, "{{.State.Status}}");

    private void WaitForState(string name, string state, int seconds = 10) =>
        Wait.Until(() => State(name) == state, seconds, () => $"{name} is {State(name)}, not {state}");

    [KernelFact(Needs.Limits)]
    public void CreateStartStop_EachState_IsInspected()
    {
        string id = Store.Run("create", "--name", "box", Store.Busybox, "sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done").Ok();
        Assert.Matches("^[0-9a-f]{64}$", id);
        Assert.Equal("created", State("box"));

        Assert.Equal("box", Store.Run("start", "box").Ok());
        Assert.Equal("running true", Inspect("box", "{{.State.Status}} {{.State.Running}}"));

        WaitForReady("box");
        Assert.Equal("box", Store.Run("stop", "box").Ok());
        Assert.Equal("exited 3 0", Inspect("box", "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}"));
    }

    [KernelFact(Needs.Root)]
    public void Start_Attached_ShowsOutputAndExitCode()
    {
        Store.Run("create", "--name", "box", Store.Busybox, "sh", "-c", "echo hello; exit 5").Ok();

        RunResult result = Store.Run("start", "-a", "box");

        Assert.Equal((5, "hello\n"), (result.ExitCode, result.Stdout));
    }

    [KernelFact(Needs.Root)]
    public void Restart_KeepsTheFileSystem()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "sh", "-c", "echo $(( $(cat /count 2>/dev/null || echo 0) + 1 )) > /count; cat /count").Ok();

        Assert.Equal("2", Store.Run("start", "-a", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Stop_ProcessIgnoresTerm_IsKilledAfterTheTime()
    {
        DetachedScript("box", null, "trap '' TERM; echo ready; while :; do sleep 1; done");
        Stopwatch watch = Stopwatch.StartNew();

        Store.Run("stop", "-t", "1", "box").Ok();

        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 8 * Machine.TimeScale);
        Assert.Equal("exited 137", Inspect("box", "{{.State.Status}} {{.State.ExitCode}}"));
    }

    [KernelFact(Needs.Root)]
    public void Stop_StopSignalFlag_IsSent()
    {
        DetachedScript("box", ["--stop-signal", "USR1"], "trap 'exit 11' USR1; echo ready; while :; do sleep 0.1; done");

        Store.Run("stop", "box").Ok();

        Assert.Equal("11", Inspect("box", "{{.State.ExitCode}}"));
    }

    [KernelFact(Needs.Root)]
    public void Stop_StopTimeoutFlag_IsTheWait()
    {
        DetachedScript("box", ["--stop-timeout", "1"], "trap '' TERM; echo ready; while :; do sleep 1; done");
        Stopwatch watch = Stopwatch.StartNew();

        Store.Run("stop", "box").Ok();

        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 8 * Machine.TimeScale);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("KILL", 137)]
    [InlineData("SIGKILL", 137)]
    [InlineData("9", 137)]
    public void Kill_EachSpelling_ExitsWith128PlusSignal(string signal, int code)
    {
        Detached("box");

        Assert.Equal("box", Store.Run("kill", "-s", signal, "box").Ok());

        Assert.Equal(code.ToString(CultureInfo.InvariantCulture), Store.Run("wait", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Kill_UnknownSignal_Fails()
    {
        Detached("box");

        Store.Run("kill", "-s", "NONSENSE", "box").Fails(1, "NONSENSE");
    }

    [KernelFact(Needs.Root)]
    public void Wait_RunningContainer_PrintsItsExitCode()
    {
        Detached("box", null, "sh", "-c", "sleep 0.5; exit 6");

        Assert.Equal("6", Store.Run("wait", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Restart_RunningContainer_HasANewProcess()
    {
        Detached("box");
        string before = Inspect("box", "{{.State.Pid}}");

        Store.Run("restart", "-t", "0", "box").Ok();

        Assert.Equal("running", State("box"));
        Assert.NotEqual(before, Inspect("box", "{{.State.Pid}}"));
    }

    [KernelFact(Needs.Limits)]
    public void Pause_RunningContainer_StopsItsClockUntilUnpause()
    {
        Detached("box", null, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /n; sleep 0.05; done");
        Wait.Until(() => Store.Run("exec", "box", "cat", "/n").ExitCode == 0, 10, () => "no /n");

        Store.Run("pause", "box").Ok();
        Assert.Equal("paused", State("box"));
        string pid = Inspect("box", "{{.State.Pid}}");
        string first = File.ReadAllText($"/proc/{pid}/root/n");
        Thread.Sleep(300);
        Assert.Equal(first, File.ReadAllText($"/proc/{pid}/root/n"));
        Assert.Contains("(Paused)", Store.Run("ps").Ok(), StringComparison.Ordinal);

        Store.Run("unpause", "box").Ok();
        Wait.Until(() => File.ReadAllText($"/proc/{pid}/root/n") != first, 10, () => "still frozen");
        Assert.Equal("running", State("box"));
    }

    [KernelFact(Needs.Root)]
    public void Exec_InPausedContainer_Fails()
    {
        Detached("box");
        Store.Run("pause", "box").Ok();

        Store.Run("exec", "box", "true").Fails(1, "paused");
    }

    [KernelFact(Needs.Root)]
    public void Remove_RunningContainer_WantsForce()
    {
        Detached("box");

        Store.Run("rm", "box").Fails(1, "running");

        Assert.Equal("box", Store.Run("rm", "-f", "box").Ok());
        Assert.Equal("", Store.Run("ps", "-aq").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Ids_UniquePrefix_Names()
    {
        string id = Detached("box");

        Assert.Equal(id, Inspect(id[..5], "{{.Id}}"));
        Store.Run("rm", "-f", id[..12]).Ok();
    }

    [KernelFact(Needs.Root)]
    public void Ps_Columns_AreDockers()
    {
        Detached("web");

        string[] lines = Store.Run("ps").Ok().Split('\n');

        Assert.Matches("^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES", lines[0]);
        Assert.Matches("^[0-9a-f]{12} +busybox +\"sleep 1000\" +.* ago +Up .* +web$", lines[1]);
    }

    [KernelFact(Needs.Root)]
    public void Ps_ExitedContainers_AreShownWithAllOnly()
    {
        Store.Run("run", "--name", "gone", Store.Busybox, "sh", "-c", "exit 4");
        Detached("here");

        Assert.Equal("here", Store.Run("ps", "--format", "{{.Names}}").Ok());
        Assert.Contains("Exited (4)", Store.Run("ps", "-a", "--filter", "name=gone").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Top_RunningContainer_ListsItsProcesses()
    {
        Detached("box", null, "sh", "-c", "sleep 1001 & sleep 1002");
        Wait.Until(() => Store.Run("top", "box").Ok().Contains("sleep 1001", StringComparison.Ordinal), 10, () => Store.Run("top", "box").Stdout);

        string top = Store.Run("top", "box").Ok();

        Assert.StartsWith("UID", top, StringComparison.Ordinal);
        Assert.Contains("sleep 1002", top, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Exec_Command_HasExitCodeStreamsAndEnvironment()
    {
        Detached("box", ["-e", "OF=container", "-w", "/tmp"]);

        RunResult result = Store.Run("exec", "-e", "MORE=exec", "box", "sh", "-c", "echo $OF $MORE $PWD; echo e >&2; exit 8");

        Assert.Equal((8, "container exec /tmp\n", "e\n"), (result.ExitCode, result.Stdout, result.Stderr));
    }

    [KernelFact(Needs.Root)]
    public void Exec_UserAndWorkdir_AreItsOwn()
    {
        Detached("box");

        Assert.Equal("1000 /var", Store.Run("exec", "-u", "tester", "-w", "/var", "box", "sh", "-c", "echo $(id -u) $PWD").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Exec_Interactive_PassesStandardInput()
    {
        Detached("box");
        using HullProcess process = Store.Start("exec", "-i", "box", "cat");
        process.Write("through\n");
        process.CloseInput();

        Assert.Equal("through", process.Finish().Ok());
    }

    [KernelFact(Needs.Limits)]
    public void Exec_Process_IsInTheContainersCgroupAndNamespaces()
    {
        Detached("box");
        string pid = Inspect("box", "{{.State.Pid}}");

        string[] inside = Store.Run("exec", "box", "sh", "-c", "for n in ipc mnt net pid uts cgroup; do readlink /proc/self/ns/$n; done").Ok().Split('\n');
        string[] outside = Store.Shell($"for n in ipc mnt net pid uts cgroup; do readlink /proc/{pid}/ns/$n; done").Ok().Split('\n');

        Assert.Equal(outside, inside);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("no-such-program", 127)]
    [InlineData("/etc", 126)]
    [InlineData("/etc/passwd", 126)]
    public void Exec_WhatCannotRun_HasDockersExitCode(string command, int code)
    {
        Detached("box");

        Store.Run("exec", "box", command).Fails(code, command);
    }

    [KernelFact(Needs.Root)]
    public void Exec_StoppedContainer_Fails()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "true").Ok();

        Store.Run("exec", "box", "true").Fails(1, "not running");
    }
}
