using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull run</c>: streams, exit codes, and what the process finds around it.</summary>
public sealed class RunTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Limits)]
    public void Run_True_SaysNothing()
    {
        RunResult result = Store.Run("run", "--rm", Store.Busybox, "true");

        Assert.Equal((0, "", ""), (result.ExitCode, result.Stdout, result.Stderr));
    }

    [KernelFact(Needs.Root)]
    public void Run_ImageCommand_IsUsedWhenNoneIsGiven()
    {
        // The fixture's Cmd is ["sh"]: it reads the script from standard input.
        using HullProcess process = Store.Start("run", "--rm", "-i", Store.Busybox);
        process.Write("echo from-$0\n");
        process.CloseInput();

        Assert.Equal("from-sh", process.Finish().Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(42)]
    [InlineData(125)]
    [InlineData(255)]
    public void Run_ExitCode_IsThePayloads(int code)
    {
        Assert.Equal(code, InBusybox($"exit {code}").ExitCode);
    }

    [KernelFact(Needs.Root)]
    public void Run_PayloadKilledBySignal_ExitsWith128PlusSignal()
    {
        // Process 1 is immune to its own signals, so the child of --init is the one that dies.
        RunResult result = Store.Run("run", "--rm", "--init", Store.Busybox, "sh", "-c", "kill -TERM $$");

        Assert.Equal(143, result.ExitCode);
    }

    [KernelFact(Needs.Root)]
    public void Run_StdoutAndStderr_StayApart()
    {
        RunResult result = InBusybox("echo out; echo err >&2");

        Assert.Equal(("out\n", "err\n"), (result.Stdout, result.Stderr));
    }

    [KernelFact(Needs.Root)]
    public void Run_Interactive_PassesStandardInputToItsEnd()
    {
        using HullProcess process = Store.Start("run", "--rm", "-i", Store.Busybox, "wc", "-c");
        process.Write(new string('x', 300_000));
        process.CloseInput();

        Assert.Equal("300000", process.Finish().Ok().Trim());
    }

    [KernelFact(Needs.Root)]
    public void Run_WithoutInteractive_HasEmptyStandardInput()
    {
        using HullProcess process = Store.Start("run", "--rm", Store.Busybox, "wc", "-c");

        Assert.Equal("0", process.Finish().Ok().Trim());
    }

    [KernelFact(Needs.Root)]
    public void Run_TenMegabytesOfOutput_ArriveWhole()
    {
        RunResult result = Store.Shell($"$HULL run --rm {Store.Busybox} sh -c 'yes 0123456789abcde | head -c 10485760' | sha256sum");
        RunResult expected = Store.Shell("yes 0123456789abcde | head -c 10485760 | sha256sum");

        Assert.Equal(expected.Ok(), result.Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_OutputPipeClosedEarly_Ends()
    {
        RunResult result = Store.Shell($"$HULL run --rm {Store.Busybox} sh -c 'yes | head -100000' | head -1");

        Assert.Equal("y", result.Ok());
    }

    [KernelFact(Needs.Limits)]
    public void Run_NewPidNamespace_FirstProcessIsPid1()
    {
        Assert.Equal("1", InBusybox("echo $$").Ok());
    }

    [KernelFact(Needs.Limits)]
    public void Run_Defaults_EveryNamespaceIsNew()
    {
        string inside = InBusybox("for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done").Ok();
        string host = Store.Shell("for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done").Ok();

        Assert.Empty(inside.Split('\n').Intersect(host.Split('\n')));
        Assert.Equal(6, inside.Split('\n').Length);
    }

    [KernelFact(Needs.Root)]
    public void Run_DefaultNetwork_IsLoopbackUp()
    {
        string links = InBusybox("ip -o link; ping -c 1 -W 2 127.0.0.1").Ok();

        Assert.Contains("lo: <LOOPBACK,UP", links, StringComparison.Ordinal);
        Assert.Contains("1 packets received", links, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Run_Hostname_IsTheShortIdByDefault()
    {
        string[] lines = InBusybox("hostname; cat /etc/hostname; echo $HOSTNAME").Ok().Split('\n');

        Assert.Matches("^[0-9a-f]{12}$", lines[0]);
        Assert.Equal([lines[0], lines[0]], lines[1..]);
    }

    [KernelFact(Needs.Root)]
    public void Run_HostnameFlag_IsSetInEveryPlace()
    {
        Assert.Equal("web\nweb\nweb", InBusybox("hostname; cat /etc/hostname; echo $HOSTNAME", "-h", "web").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_Root_IsWritableAndGoneAfterwards()
    {
        InBusybox("echo x > /file; mkdir /etc/new; rm /bin/ls; test ! -e /bin/ls").Ok();

        Assert.Equal("absent", InBusybox("test -e /file || echo absent; ls / > /dev/null").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_Device_HasTheStandardNodesOnly()
    {
        string[] nodes = InBusybox("cd /dev; for node in *; do echo $node; done").Ok().Split('\n');

        Assert.Equal(
            ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"],
            nodes.Where(node => node != "core").Order(StringComparer.Ordinal)); // core: where the host has /proc/kcore
    }

    [KernelFact(Needs.Root)]
    public void Run_Descriptors_AreTheThreeStreams()
    {
        // Descriptors that hull itself was given by a careless parent do not reach the payload either.
        RunResult result = Store.Shell(
            $"exec 7< /etc/passwd 9< /; $HULL run --rm -v {Repository.Probe}:/probe:ro {Store.Busybox} /probe descriptors");

        Assert.Equal(["0", "1", "2"], ProbeOutput.Parse(result.Ok())["descriptors"].EnumerateObject().Select(field => field.Name).Where(name => name != "topic"));
    }

    [KernelFact(Needs.Root)]
    public void Run_ContainerId_IsPrintedWhenDetached()
    {
        RunResult result = Store.Run("run", "-d", Store.Busybox, "sleep", "100");

        Assert.Matches("^[0-9a-f]{64}\n$", result.Stdout);
    }

    [KernelFact(Needs.Root)]
    public void Run_Remove_LeavesNoContainer()
    {
        InBusybox("true").Ok();

        Assert.Equal("", Store.Run("ps", "-aq").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_FlagsAfterImage_BelongToTheCommand()
    {
        Assert.Equal("-i --rm -x", Store.Run("run", "--rm", Store.Busybox, "echo", "-i", "--rm", "-x").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_TwoAtOnce_BothSucceed()
    {
        using HullProcess one = Store.Start("run", "--rm", Store.Busybox, "sh", "-c", "sleep 0.3; echo one");
        using HullProcess two = Store.Start("run", "--rm", Store.Busybox, "sh", "-c", "sleep 0.3; echo two");

        Assert.Equal(("one", "two"), (one.Finish().Ok(), two.Finish().Ok()));
    }

    [KernelFact(Needs.Root)]
    public void Run_EightAtATimeDetached_AllRun()
    {
        string script = $"for i in 1 2 3 4 5 6 7 8; do $HULL run -d --name p$i {Store.Busybox} sleep 100 > /dev/null || echo failed $i & done; wait";
        Assert.Equal("", Store.Shell(script, 60).Ok());

        Assert.Equal(8, Store.Run("ps", "-q").Ok().Split('\n').Length);
    }

    [KernelFact(Needs.Root)]
    public void Run_SignalToTheCli_ReachesThePayload()
    {
        using HullProcess process = Store.Start("run", "--rm", Store.Busybox, "sh", "-c", "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done");
        process.WaitForOutput("ready");

        Store.Shell($"kill -TERM {process.Pid}").Ok();

        RunResult result = process.Finish();
        Assert.Equal((9, "ready\ngot\n"), (result.ExitCode, result.Stdout));
    }
}
