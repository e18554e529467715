using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Options of <c>hull runtime</c>: each does what runc's does, or is refused in one line.</summary>
public sealed class RuntimeFlagTests(HullStore store) : KernelTest(store)
{
    [KernelTheory(Needs.Root)]
    [InlineData("--rootless true state web", "a cgroup that cannot be made")]
    [InlineData("--rootless maybe state web", "--rootless maybe: true, false and auto are possible")]
    [InlineData("run --no-pivot web", "--no-pivot: the host's root would stay")]
    [InlineData("kill --force web", "unknown option --force of 'hull runtime kill' (did you mean --all?)")]
    [InlineData("checkpoint --lazy-pages web", "memory that follows later is not supported")]
    [InlineData("checkpoint --empty-ns ipc web", "--empty-ns ipc: network is possible")]
    [InlineData("checkpoint --manage-cgroups-mode ignore web", "--manage-cgroups-mode ignore: soft, full and strict")]
    [InlineData("checkpoint no-such-container", "container does not exist: no-such-container")]
    [InlineData("restore --console-socket /x web", "a checkpoint has no terminal")]
    [InlineData("restore --image-path /nowhere web", "--image-path /nowhere: no checkpoint of hull's is there")]
    public void Call_WhatIsNotDone_IsRefusedInOneLine(string line, string message)
    {
        RunResult result = Store.Run(["runtime", .. line.Split(' ')]);

        result.Fails(1, message);
        Assert.Single(result.Stderr.TrimEnd('\n').Split('\n'));
    }

    [KernelFact(Needs.Root)]
    public void Run_Keep_LeavesAStoppedContainer()
    {
        Bundle bundle = new(Store, "exit 3");
        bundle.Write();

        bundle.Call("run", "--keep", "--bundle", bundle.Directory, bundle.Id).Fails(3);

        JsonNode state = JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!;
        Assert.Equal(("stopped", 0), ((string)state["status"]!, (int)state["pid"]!));
        bundle.Call("delete", bundle.Id).Ok();
        bundle.Call("state", bundle.Id).Fails(1, "does not exist");
    }

    [KernelFact(Needs.Root)]
    public void Exec_IgnorePaused_StartsWhenTheContainerIsResumed()
    {
        using RunningBundle container = new(Store);
        container.Bundle.Call("pause", container.Id).Ok();
        container.Bundle.Call("exec", container.Id, "true").Fails(1, "--ignore-paused");

        using HullProcess exec = Store.Start("runtime", "--root", Store.RuntimeRoot, "exec", "--ignore-paused", container.Id, "echo", "resumed");
        Wait.Until(
            () => JsonNode.Parse(container.Bundle.Call("ps", "--format", "json", container.Id).Ok())!.AsArray().Count == 2, 5, () => "the process is not in the container");
        container.Bundle.Call("resume", container.Id).Ok();

        Assert.Equal("resumed", exec.Finish().Ok());
    }

    [KernelFact(Needs.Root)]
    public void PreserveFds_OpenOnesArePassed_OthersAreRefused()
    {
        Bundle bundle = new(Store, "cat <&3; ls /proc/self/fd");
        bundle.Write();
        string run = $"$HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory}";

        // 4 is the listing's own.
        Assert.Equal("passed\n0\n1\n2\n3\n4", Store.Shell($"echo passed > {Store.Scratch}/passed; {run} --preserve-fds 1 {bundle.Id} 3< {Store.Scratch}/passed").Ok());
        Store.Shell($"{run} --preserve-fds 2 {bundle.Id} 3< {Store.Scratch}/passed").Fails(1, "descriptor 4 is not open");
        Store.Shell($"{run} --preserve-fds -1 {bundle.Id}").Fails(1, "--preserve-fds -1: not a number");
    }

    [KernelFact(Needs.Root)]
    public void ListenFds_OfAServiceManager_ArePassedAndTold()
    {
        Bundle bundle = new(Store, "echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4");
        bundle.Write();
        string run = $"exec $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} --preserve-fds 1 {bundle.Id}";
        string files = $"echo socket > {Store.Scratch}/socket; echo kept > {Store.Scratch}/kept; exec 3< {Store.Scratch}/socket 4< {Store.Scratch}/kept";

        Assert.Equal("1 1\nsocket\nkept", Store.Shell($"{files}; export LISTEN_FDS=1; sh -c 'LISTEN_PID=$$ {run}'").Ok());
        // Meant for another process: only what --preserve-fds says.
        Assert.StartsWith("\nsocket", Store.Shell($"{files} 4<&-; LISTEN_FDS=1 LISTEN_PID=1 sh -c '{run}'").Stdout, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void PidFdSocket_CreateAndExec_GetAPidFdOfTheirProcess()
    {
        string path = $"{Store.Scratch}/p.sock";
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Bundle bundle = new(Store, "true");
        bundle.Write();

        bundle.Call("run", "--pidfd-socket", path, "--bundle", bundle.Directory, bundle.Id).Ok();
        Assert.Equal("standard", ReadWord(listener));

        using RunningBundle container = new(Store);
        container.Bundle.Call("exec", "--pidfd-socket", path, container.Id, "true").Ok();
        Assert.Equal("setns", ReadWord(listener));
        container.Bundle.Call("exec", "--pidfd-socket", path + ".no", container.Id, "true").Fails(1, "nobody listens there");
    }

    /// <summary>The message's text; its descriptor goes with the socket.</summary>
    private static string ReadWord(Socket listener)
    {
        using Socket taken = listener.Accept();
        byte[] text = new byte[64];
        return Encoding.UTF8.GetString(text, 0, taken.Receive(text));
    }

    [KernelFact(Needs.Limits)]
    public void Exec_Cgroup_RunsBelowTheContainers()
    {
        using RunningBundle container = new(Store);
        bool unified = Machine.CgroupV1Mount("memory") is null;
        string mount = (Machine.CgroupV1Mount("pids") ?? Machine.CgroupV2Mount)!;
        string word = unified ? "part" : "pids:part";
        container.Bundle.Call("exec", "--cgroup", word, container.Id, "true").Fails(1, "/part does not exist");
        Directory.CreateDirectory($"{mount}/hull/{container.Id}/part");

        string cgroups = container.Bundle.Call("exec", "--cgroup", word, container.Id, "cat", "/proc/self/cgroup").Ok();

        Assert.Contains(cgroups.Split('\n'), line => line.EndsWith(":/part", StringComparison.Ordinal) && (unified || line.Contains("pids", StringComparison.Ordinal)));
        container.Bundle.Call("exec", "--cgroup", "../other", container.Id, "true").Fails(1, ".. could lead out");
        container.Bundle.Call("exec", "--cgroup", "nosuch:part", container.Id, "true").Fails(1, "no cgroup v1 controller nosuch");
    }

    [KernelFact(Needs.Root)]
    public void Kill_HostsPidNamespace_EndsEveryProcess()
    {
        using RunningBundle container = new(Store, "sleep 1001 & sleep 1002 & wait", bundle => bundle.Linux["namespaces"]!.AsArray().RemoveAt(0));
        int Count() => JsonNode.Parse(container.Bundle.Call("ps", "--format", "json", container.Id).Ok())!.AsArray().Count;
        Wait.Until(() => Count() == 3, 5, () => "not three processes");

        // The first process alone, which leaves two: containerd then asks for all.
        container.Bundle.Call("kill", container.Id, "HUP").Ok();
        Wait.Until(() => container.Status == "stopped", 5, () => "still running");
        container.Bundle.Call("kill", "--all", container.Id, "KILL").Ok();
        Wait.Until(() => container.Bundle.Call("kill", "--all", container.Id, "KILL").ExitCode == 1, 5, () => "processes are left");
        container.Bundle.Call("kill", container.Id, "KILL").Fails(1, "container not running");

        using RunningBundle second = new(Store, "sleep 1001 & sleep 1002 & wait", bundle => bundle.Linux["namespaces"]!.AsArray().RemoveAt(0));
        second.Bundle.Call("kill", second.Id, "KILL").Ok();
        Wait.Until(() => second.Bundle.Call("kill", "--all", second.Id, "KILL").ExitCode == 1, 5, () => "processes are left");
    }

    [KernelFact(Needs.Root)]
    public void Debug_ALine_IsInTheLog()
    {
        string log = $"{Store.Scratch}/debug.log";

        Store.Run("runtime", "--debug", "--log", log, "state", "no-such").Fails(1);

        Assert.Contains("level=debug msg=\"hull runtime state no-such\"", File.ReadAllText(log), StringComparison.Ordinal);
    }
}
