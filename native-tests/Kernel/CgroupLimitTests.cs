using System.Globalization;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Limits hold, on controllers of cgroup v1 and of v2 alike: read from the container's own cgroup, and felt
/// inside.</summary>
public sealed class CgroupLimitTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Limits)]
    public void Run_Memory_IsSetInTheContainersOwnCgroup_CVE_2025_47291()
    {
        string id = Detached("own", ["-m", "64m", "--memory-reservation", "32m"]);

        Assert.Equal("67108864", Value(id, "memory", "memory.max", "memory.limit_in_bytes"));
        Assert.Equal("33554432", Value(id, "memory", "memory.low", "memory.soft_limit_in_bytes"));
        string init = Inspect("own", "{{.State.Pid}}");
        Assert.Contains(init, Value(id, "memory", "cgroup.procs", "cgroup.procs").Split('\n'));
    }

    [KernelFact(Needs.Limits | Needs.Swap)]
    public void Run_MemorySwap_IsMemoryAndSwapTogether()
    {
        string id = Detached("swap", ["-m", "64m", "--memory-swap", "96m"]);

        Assert.Equal(V1("memory") ? "100663296" : "33554432", Value(id, "memory", "memory.swap.max", "memory.memsw.limit_in_bytes"));
    }

    [KernelFact(Needs.Limits)]
    public void Run_OverMemory_IsKilledAndInspectAndPsNameTheLimit()
    {
        // tail keeps all that it reads until the end, which does not come.
        RunResult result = Store.Run(60, "run", "--name", "hungry", "-m", "32m", "--memory-swap", "32m", Store.Busybox, "tail", "/dev/zero");

        Assert.Equal(137, result.ExitCode);
        Assert.Equal("true 137", Inspect("hungry", "{{.State.OOMKilled}} {{.State.ExitCode}}"));
        Assert.Contains("memory limit 32 MiB", Inspect("hungry", "{{.State.Error}}"), StringComparison.Ordinal);
        string status = Hull("ps", "-a", "--filter", "name=hungry", "--format", "{{.Status}}").Ok();
        Assert.Contains("memory", status, StringComparison.Ordinal);
        Assert.Contains("memory limit 32 MiB", status, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits)]
    public void Run_ChildOverMemory_ContainerSaysSoToo()
    {
        RunResult result = Store.Run(60, "run", "--name", "hungry-child", "-m", "32m", "--memory-swap", "32m", Store.Busybox,
            "sh", "-c", "tail /dev/zero; echo status $?");

        Assert.Equal("status 137", result.Ok());
        Assert.Equal("true 0", Inspect("hungry-child", "{{.State.OOMKilled}} {{.State.ExitCode}}"));
    }

    [KernelFact(Needs.Limits)]
    public void Run_PidsLimit_ForkFails()
    {
        string id = Detached("few", ["--pids-limit", "5"]);

        Assert.Equal("5", Value(id, "pids", "pids.max", "pids.max"));
        RunResult result = Hull("exec", "few", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("fork", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits)]
    public void Run_Cpus_QuotaIsSetAndFelt()
    {
        string id = Detached("slow", ["--cpus", "0.2"], "sh", "-c", "while :; do :; done");

        if (V1("cpu"))
        {
            Assert.Equal(("20000", "100000"), (Value(id, "cpu", "", "cpu.cfs_quota_us"), Value(id, "cpu", "", "cpu.cfs_period_us")));
        }
        else
        {
            Assert.Equal("20000 100000", Value(id, "cpu", "cpu.max", ""));
        }

        Wait.Until(
            () => Value(id, "cpu", "cpu.stat", "cpu.stat").Split('\n').Any(line => line.StartsWith("nr_throttled ", StringComparison.Ordinal) && line != "nr_throttled 0"),
            10, () => Value(id, "cpu", "cpu.stat", "cpu.stat"));
    }

    [KernelFact(Needs.Limits)]
    public void Run_CpuShares_BecomeWeight()
    {
        string id = Detached("light", ["--cpu-shares", "1024"]);

        Assert.Equal(V1("cpu") ? "1024" : "100", Value(id, "cpu", "cpu.weight", "cpu.shares"));
    }

    [KernelFact(Needs.Limits)]
    public void Run_CpusetCpus_HoldsOrNamesTheMissingController()
    {
        RunResult result = InBusybox("grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", "0");

        if (Machine.WhyNot(Needs.Cpuset) is null)
        {
            Assert.Equal("Cpus_allowed_list:\t0", result.Ok());
        }
        else
        {
            result.Fails(125, "--cpuset-cpus", "no cpuset controller", "cgroup.controllers");
        }
    }

    [KernelFact(Needs.Cpuset)]
    public void Run_CpusetBeyondTheMachine_SaysWhatThereIs() =>
        InBusybox("true", "--cpuset-cpus", "0-4000").Fails(125, "--cpuset-cpus", "requested 0-4000", "available 0");

    [KernelFact(Needs.Limits)]
    public void Run_CpusetHuge_IsRefusedAtOnce_CVE_2018_20699()
    {
        RunResult result = InBusybox("true", "--cpuset-cpus", "0-2147483647");

        result.Fails(125, "2147483647");
        Assert.InRange(result.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5 * Machine.TimeScale));
    }

    [KernelFact(Needs.Limits)]
    public void Run_SwapBelowMemory_SaysWhy() =>
        InBusybox("true", "-m", "64m", "--memory-swap", "32m").Fails(125, "memory");

    [KernelFact(Needs.CgroupV2)]
    public void Run_OnlyV1HasIt_NamesTheFlag() =>
        InBusybox("true", "--memory-swappiness", "10").Fails(125, "--memory-swappiness", "cgroup v2");

    [KernelFact(Needs.Limits)]
    public void Run_DefaultCgroupNamespace_ShowsTheContainersCgroupAsRoot()
    {
        string cgroups = InBusybox("cat /proc/self/cgroup").Ok();

        Assert.All(cgroups.Split('\n'), line => Assert.EndsWith(":/", line, StringComparison.Ordinal));
    }

    [KernelFact(Needs.Limits)]
    public void Pause_Counting_StopsUntilUnpaused()
    {
        Detached("counter", null, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /count; done");
        long Count() => long.TryParse(Hull("exec", "counter", "cat", "/count").Stdout, CultureInfo.InvariantCulture, out long count) ? count : 0;
        Wait.Until(() => Count() > 0, 10, () => "it does not count");
        string init = Inspect("counter", "{{.State.Pid}}");

        Hull("pause", "counter").Ok();
        string before = File.ReadAllText($"/proc/{init}/stat");
        Thread.Sleep(300);
        Assert.Equal(before, File.ReadAllText($"/proc/{init}/stat"));
        Assert.Equal("paused", Inspect("counter", "{{.State.Status}}"));

        Hull("unpause", "counter").Ok();
        long after = Count();
        Wait.Until(() => Count() > after, 10, () => "it does not count again");
    }

    [KernelFact(Needs.Limits)]
    public void Kill_EscapedSession_EveryProcessEndsAndTheCgroupGoes()
    {
        string id = Detached("daemons", null, "sh", "-c", "setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & sleep 1000");
        Wait.Until(() => Value(id, "pids", "cgroup.procs", "cgroup.procs").Split('\n').Length >= 4, 10, () => Value(id, "pids", "cgroup.procs", "cgroup.procs"));

        Hull("rm", "-f", "daemons").Ok();

        Assert.False(Directory.Exists(CgroupOf(id, "pids")));
    }

    /// <summary>The text of a file of the container's cgroup, by the name it has on v2 and on v1.</summary>
    private static string Value(string id, string controller, string unified, string legacy) =>
        File.ReadAllText(Path.Combine(CgroupOf(id, controller), V1(controller) ? legacy : unified)).TrimEnd('\n');

    private static bool V1(string controller) => Machine.CgroupV1Mount(controller) is not null;

    private static string CgroupOf(string id, string controller) => $"{Machine.CgroupV1Mount(controller) ?? Machine.CgroupV2Mount}/hull/{id}";
}
