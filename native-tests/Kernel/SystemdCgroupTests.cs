using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime --systemd-cgroup</c>: a container is a scope of systemd's.</summary>
public sealed class SystemdCgroupTests(HullStore store) : KernelTest(store)
{
    private const string Limits = """
        {"memory":{"limit":67108864,"swap":100663296},"cpu":{"shares":2000,"quota":25000,"period":100000,"cpus":"0"},
        "pids":{"limit":50},"unified":{"memory.high":"60000000"}}
        """;

    private static Action<Bundle> InScope(string slice = "system.slice", string resources = "{}") => bundle =>
    {
        bundle.Systemd = true;
        bundle.Resources(resources);
        bundle.Linux["cgroupsPath"] = $"{slice}:hulltest:{bundle.Id}";
    };

    private Bundle Scoped(string script, string slice = "system.slice", string resources = "{}")
    {
        Bundle bundle = new(Store, script);
        InScope(slice, resources)(bundle);
        return bundle;
    }

    private string Show(string unit, string property) => Store.Shell($"systemctl show --value -p {property} {unit}").Ok();

    private static string File(Bundle bundle, string name) => System.IO.File.ReadAllText($"{Machine.CgroupV2Mount}/system.slice/{bundle.Scope}/{name}").Trim();

    private void AssertGone(Bundle bundle, string slice = "system.slice")
    {
        Assert.Equal("not-found", Show(bundle.Scope, "LoadState"));
        Assert.False(Directory.Exists($"{Machine.CgroupV2Mount}/{slice}/{bundle.Scope}"));
    }

    [KernelFact(Needs.Systemd)]
    public void Create_Scope_HasTheContainerAloneAndItsLimits()
    {
        Bundle bundle;
        using (RunningBundle container = new(Store, change: InScope(resources: Limits)))
        {
            bundle = container.Bundle;

            Assert.Equal($"0::/system.slice/{bundle.Scope}", System.IO.File.ReadAllText($"/proc/{container.Pid}/cgroup").Trim());
            Assert.Equal($"{container.Pid}", File(bundle, "cgroup.procs"));
            Assert.Equal(
                "active system.slice yes no 67108864 33554432 60000000 50 170 250ms 0",
                string.Join(' ', new[]
                {
                    "ActiveState", "Slice", "Delegate", "DefaultDependencies", "MemoryMax", "MemorySwapMax", "MemoryHigh", "TasksMax", "CPUWeight",
                    "CPUQuotaPerSecUSec", "AllowedCPUs",
                }.Select(property => Show(bundle.Scope, property))));
            Assert.Equal(("67108864", "25000 100000", "50", "0"),
                (File(bundle, "memory.max"), File(bundle, "cpu.max"), File(bundle, "pids.max"), File(bundle, "cpuset.cpus")));
            Assert.Equal("0::/", bundle.Call("exec", container.Id, "cat", "/proc/self/cgroup").Ok());
        }

        AssertGone(bundle);
    }

    [KernelFact(Needs.Systemd)]
    public void Update_Scope_HoldsAfterSystemdIsReloaded()
    {
        using RunningBundle container = new(Store, change: InScope(resources: Limits));
        Bundle bundle = container.Bundle;

        bundle.Call("update", "--memory", "128m", "--memory-swap", "256m", "--pids-limit", "60", "--cpu-quota", "50000", container.Id).Ok();
        Store.Shell("systemctl daemon-reload").Ok();

        Assert.Equal(("134217728", "60", "500ms"), (Show(bundle.Scope, "MemoryMax"), Show(bundle.Scope, "TasksMax"), Show(bundle.Scope, "CPUQuotaPerSecUSec")));
        Assert.Equal(("134217728", "134217728", "60", "50000 100000"),
            (File(bundle, "memory.max"), File(bundle, "memory.swap.max"), File(bundle, "pids.max"), File(bundle, "cpu.max")));
        bundle.Call("pause", container.Id).Ok();
        Assert.Equal("paused", container.Status);
        bundle.Call("resume", container.Id).Ok();
    }

    [KernelFact(Needs.Systemd)]
    public void Run_PayloadEnds_ScopeIsGoneAndItsNameIsFree()
    {
        Bundle bundle = Scoped("cat /sys/fs/cgroup/pids.max; exit 3", resources: """{"pids":{"limit":77}}""");
        for (int i = 0; i < 2; i++)
        {
            RunResult result = bundle.Run();

            Assert.Equal((3, "77\n"), (result.ExitCode, result.Stdout));
            AssertGone(bundle);
        }
    }

    [KernelFact(Needs.Systemd)]
    public void Run_SliceWithDashes_IsBelowItsParents()
    {
        Bundle bundle = Scoped("echo up; sleep 1000", "hulltest-deep.slice");
        try
        {
            using HullProcess run = bundle.Start();
            run.WaitForOutput("up");
            int pid = (int)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["pid"]!;
            Assert.Equal(
                $"0::/hulltest.slice/hulltest-deep.slice/{bundle.Scope}", System.IO.File.ReadAllText($"/proc/{pid}/cgroup").Trim());
            bundle.Call("kill", bundle.Id, "KILL").Ok();
            Assert.Equal(137, run.Finish().ExitCode);
            AssertGone(bundle, "hulltest.slice/hulltest-deep.slice");
        }
        finally
        {
            Store.Shell("systemctl stop hulltest.slice").Ok();
        }
    }

    [KernelFact(Needs.Systemd)]
    public void Run_NoPath_IsAScopeOfHullsInTheSystemSlice()
    {
        Bundle bundle = Scoped("true");
        bundle.Linux.Remove("cgroupsPath");
        bundle.Linux["namespaces"]!.AsArray().RemoveAt(5);
        bundle.Config["process"]!["args"] = new JsonArray("cat", "/proc/self/cgroup");

        Assert.Equal($"0::/system.slice/hull-{bundle.Id}.scope", bundle.Run().Ok());
    }

    [KernelFact(Needs.Systemd)]
    public void Create_CommandThatIsNotThere_LeavesNoScope()
    {
        Bundle bundle = Scoped("true");
        bundle.Config["process"]!["args"] = new JsonArray("no-such-command");

        bundle.Run().Fails(1, "no-such-command");
        AssertGone(bundle);
    }

    [KernelFact(Needs.Systemd)]
    public void Run_LimitThatTheKernelRefuses_LeavesNoScope()
    {
        Bundle bundle = Scoped("true", resources: """{"cpu":{"cpus":"0-4000"}}""");

        bundle.Run().Fails(1, "requested 0-4000");
        AssertGone(bundle);
    }

    [KernelFact(Needs.Systemd)]
    public void Create_NameIsTaken_IsToldAndTheOtherLivesOn()
    {
        using RunningBundle first = new(Store, change: InScope());
        Bundle second = Scoped("true");
        second.Linux["cgroupsPath"] = $"system.slice:hulltest:{first.Id}";

        second.Run().Fails(1, first.Bundle.Scope, "UnitExists");
        Assert.Equal("running", first.Status);
    }

    [KernelTheory(Needs.Systemd)]
    [InlineData("/hull/x", "has the form slice:prefix:name")]
    [InlineData("system:p:x", "'system' is not a slice")]
    [InlineData("a--b.slice:p:x", "'a--b.slice' is not a slice")]
    [InlineData("system.slice:p:x/../y", "is not the name of a scope")]
    [InlineData("system.slice:p:x.slice", "is not the name of a scope")]
    public void Run_PathOfAnotherForm_IsRefused(string path, string message)
    {
        Bundle bundle = Scoped("true");
        bundle.Linux["cgroupsPath"] = path;

        bundle.Run().Fails(1, message);
    }

    [KernelFact(Needs.Systemd)]
    public void Run_SystemdOutOfReach_SaysWhatToDo()
    {
        Bundle bundle = Scoped("true");
        bundle.Write();

        Store.Shell($"unshare -m sh -c 'mount -t tmpfs none /run/systemd && $HULL {string.Join(' ', bundle.Runtime)} run --bundle {bundle.Directory} {bundle.Id}'")
            .Fails(1, "nobody listens at /run/systemd/private", "use the cgroupfs driver");
    }

    [KernelFact(Needs.CgroupV1)]
    public void Run_HybridHost_IsRefused() => Scoped("true").Run().Fails(1, "needs a host with cgroup v2 alone");
}
