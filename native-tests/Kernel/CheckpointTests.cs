using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime checkpoint</c> and <c>restore</c>, through Debian's criu.</summary>
public sealed class CheckpointTests(HullStore store) : KernelTest(store)
{
    private const string Counting = "i=0; while :; do i=$((i+1)); echo $i > /tmp/count; sleep 0.1; done";

    private static string Images(Bundle bundle) => $"{bundle.Directory}/images";

    private static int Count(Bundle bundle) =>
        int.TryParse(File.ReadAllText($"{bundle.Directory}/rootfs/tmp/count"), CultureInfo.InvariantCulture, out int count) ? count : 0;

    private static RunResult Checkpoint(Bundle bundle, params string[] options) =>
        bundle.Call(["checkpoint", "--image-path", Images(bundle), .. options, bundle.Id]);

    /// <summary><c>restore --detach</c>; as with create the container keeps its caller's streams.</summary>
    private RunResult Restore(Bundle bundle) => Store.Shell(
        $"$HULL {string.Join(' ', bundle.Runtime)} --log {bundle.Directory}/log restore -d --pid-file {bundle.Directory}/pid --image-path {Images(bundle)} "
        + $"--bundle {bundle.Directory} {bundle.Id} < /dev/null > {bundle.Directory}/out 2>&1 || {{ cat {bundle.Directory}/out >&2; exit 1; }}", 60);

    private static void AssertCounts(Bundle bundle, int from)
    {
        Wait.Until(() => Count(bundle) > from, 10, () => $"it does not count on from {from}");
        Assert.InRange(Count(bundle), from, from + 10_000);
    }

    [KernelFact(Needs.Criu)]
    public void CheckpointAndRestore_RunningContainer_GoesOnWhereItWasAsItWas()
    {
        using RunningBundle container = new(Store, Counting, bundle => bundle.Resources("""{"memory":{"limit":67108864}}"""));
        Bundle bundle = container.Bundle;
        Wait.Until(() => File.Exists($"{bundle.Directory}/rootfs/tmp/count") && Count(bundle) > 3, 10, () => "it does not count");

        Checkpoint(bundle).Ok();

        bundle.Call("state", bundle.Id).Fails(1, "does not exist");
        int before = Count(bundle);
        Thread.Sleep(500);
        Assert.Equal(before, Count(bundle));

        Restore(bundle).Ok();

        AssertCounts(bundle, before);
        Assert.Equal("running", container.Status);
        Assert.Equal(File.ReadAllText($"{bundle.Directory}/pid"), container.Pid.ToString(CultureInfo.InvariantCulture));
        Assert.Equal("67108864", bundle.Cgroup("memory", "memory.max", "memory.limit_in_bytes"));
        string status = File.ReadAllText($"/proc/{container.Pid}/status");
        // MKNOD, DAC_OVERRIDE, KILL, SETUID, SETGID.
        Assert.Contains("CapBnd:\t00000000080000e2\n", status, StringComparison.Ordinal);
        Assert.Equal("0::/", bundle.Call("exec", bundle.Id, "cat", "/proc/self/cgroup").Ok());
    }

    [KernelFact(Needs.Criu)]
    public void Checkpoint_PreDumpAndLeaveRunning_ContainerRunsOn()
    {
        using RunningBundle container = new(Store, Counting);
        Bundle bundle = container.Bundle;
        bundle.Call("checkpoint", "--pre-dump", "--image-path", $"{bundle.Directory}/before", bundle.Id).Ok();
        Checkpoint(bundle, "--parent-path", "../before", "--leave-running").Ok();

        Assert.Equal("running", container.Status);
        AssertCounts(bundle, Count(bundle));
        bundle.Call("kill", bundle.Id, "KILL").Ok();
        Wait.Until(() => container.Status == "stopped", 10, () => "still running");
        Checkpoint(bundle).Fails(1, "cannot checkpoint a stopped container");
        bundle.Call("delete", bundle.Id).Ok();

        Restore(bundle).Ok();
        AssertCounts(bundle, Count(bundle));
    }

    [KernelFact(Needs.Criu)]
    public void Restore_Foreground_HasOurStreamsAndItsExitCode()
    {
        Bundle bundle = new(Store, "echo up; until [ -e /tmp/go ]; do sleep 0.1; done; echo after; exit 5");
        bundle.Write();
        using HullProcess first = Store.StartProgram(
            "sh", "-c", $"$HULL {string.Join(' ', bundle.Runtime)} run -d --bundle {bundle.Directory} {bundle.Id} < /dev/null 2>&1 | cat");
        first.WaitForOutput("up");
        Checkpoint(bundle).Ok();
        Assert.Equal("up", first.Finish().Ok());
        File.WriteAllText($"{bundle.Directory}/rootfs/tmp/go", "");

        RunResult result = bundle.Call("restore", "--image-path", Images(bundle), "--bundle", bundle.Directory, bundle.Id);

        Assert.Equal((5, "after\n", ""), (result.ExitCode, result.Stdout, result.Stderr));
        bundle.Call("state", bundle.Id).Fails(1, "does not exist");
    }

    [KernelFact(Needs.Criu | Needs.Systemd)]
    public void Restore_Scope_IsMadeAnew()
    {
        using RunningBundle container = new(Store, Counting, bundle =>
        {
            bundle.Systemd = true;
            bundle.Linux["cgroupsPath"] = $"system.slice:hulltest:{bundle.Id}";
        });
        Checkpoint(container.Bundle).Ok();

        Restore(container.Bundle).Ok();

        Assert.Equal($"0::/system.slice/{container.Bundle.Scope}", File.ReadAllText($"/proc/{container.Pid}/cgroup").Trim());
        Assert.Equal("active", Store.Shell($"systemctl show --value -p ActiveState {container.Bundle.Scope}").Ok());
    }

    [KernelFact(Needs.Criu)]
    public void Restore_BindMount_IsTheBundlesOfNow()
    {
        string shared = $"{Store.Scratch}/shared";
        Directory.CreateDirectory(shared);
        File.WriteAllText($"{shared}/file", "before");
        using RunningBundle container = new(Store, "sleep 1000", bundle => bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = "/shared",
            ["type"] = "bind",
            ["source"] = shared,
            ["options"] = new JsonArray("rbind", "rw"),
        }));
        Bundle bundle = container.Bundle;
        Checkpoint(bundle).Ok();

        bundle.Config["mounts"]!.AsArray().RemoveAt(4);
        bundle.Write();
        Restore(bundle).Fails(1, "the checkpoint has a bind mount at /shared");

        bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = "/shared",
            ["type"] = "bind",
            ["source"] = $"{shared}2",
            ["options"] = new JsonArray("rbind", "rw"),
        });
        bundle.Write();
        Directory.CreateDirectory($"{shared}2");
        File.WriteAllText($"{shared}2/file", "after");
        Restore(bundle).Ok();
        Assert.Equal("after", bundle.Call("exec", bundle.Id, "cat", "/shared/file").Ok());
    }

    [KernelFact(Needs.Criu)]
    public void Restore_NoNewPrivilegesThatCriuForgets_IsToldOrKept()
    {
        using RunningBundle container = new(Store, "sleep 1000", bundle => bundle.Config["process"]!["noNewPrivileges"] = true);
        Bundle bundle = container.Bundle;
        Checkpoint(bundle).Ok();

        Restore(bundle).Ok();

        bool kept = File.ReadAllText($"/proc/{container.Pid}/status").Contains("NoNewPrivs:\t1", StringComparison.Ordinal);
        Assert.NotEqual(kept, File.ReadAllText($"{bundle.Directory}/out").Contains("process.noNewPrivileges", StringComparison.Ordinal));
    }

    [KernelFact(Needs.Criu)]
    public void Checkpoint_WhatCannotBeDone_IsToldAndTheContainerRunsOn()
    {
        using RunningBundle container = new(Store);
        Bundle bundle = container.Bundle;

        bundle.Call("--criu", "/no/such/criu", "checkpoint", "--image-path", Images(bundle), bundle.Id).Fails(1, "/no/such/criu", "ENOENT");
        Checkpoint(bundle, "--parent-path", "../none", "--page-server", "127.0.0.1:1").Fails(1, "criu dump failed with status", "dump.log");
        Assert.Equal("running", container.Status);
    }

    [KernelFact(Needs.Criu)]
    public void Restore_DamagedImages_SaysWhyAndLeavesNothing()
    {
        using RunningBundle container = new(Store, Counting);
        Bundle bundle = container.Bundle;
        Checkpoint(bundle).Ok();
        File.WriteAllText($"{Images(bundle)}/pstree.img", "x");

        Restore(bundle).Fails(1, "criu restore failed with status", "restore.log");
        bundle.Call("state", bundle.Id).Fails(1, "does not exist");
        Assert.False(Directory.Exists($"{Machine.CgroupV2Mount}/hull/{bundle.Id}"));
    }
}
