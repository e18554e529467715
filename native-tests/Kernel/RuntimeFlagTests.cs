using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Options of <c>hull runtime</c>: each does what runc's does, or is refused in one line.</summary>
public sealed class RuntimeFlagTests(HullStore store) : KernelTest(store)
{
    [KernelTheory(Needs.Root)]
    [InlineData("--systemd-cgroup state web", "use the cgroupfs driver")]
    [InlineData("--rootless true state web", "a cgroup that cannot be made")]
    [InlineData("--rootless maybe state web", "--rootless maybe: true, false and auto are possible")]
    [InlineData("run --no-pivot web", "--no-pivot: the host's root would stay")]
    [InlineData("kill --force web", "unknown option --force of 'hull runtime kill' (did you mean --all?)")]
    [InlineData("checkpoint web", "checkpoints are not supported")]
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

        using HullProcess exec = Store.Start("runtime", "--root", $"{Store.ExecRoot}/runtime", "exec", "--ignore-paused", container.Id, "echo", "resumed");
        Wait.Until(
            () => JsonNode.Parse(container.Bundle.Call("ps", "--format", "json", container.Id).Ok())!.AsArray().Count == 2, 5, () => "the process is not in the container");
        container.Bundle.Call("resume", container.Id).Ok();

        Assert.Equal("resumed", exec.Finish().Ok());
    }

    [KernelFact(Needs.Root)]
    public void Debug_ALine_IsInTheLog()
    {
        string log = $"{Store.Scratch}/debug.log";

        Store.Run("runtime", "--debug", "--log", log, "state", "no-such").Fails(1);

        Assert.Contains("level=debug msg=\"hull runtime state no-such\"", File.ReadAllText(log), StringComparison.Ordinal);
    }
}
