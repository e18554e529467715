using System.Globalization;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Limits hold: on pure cgroup v2 (in the guest) and on v1 controllers (a hybrid host) alike.</summary>
public sealed class LimitTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Limits)]
    public void Memory_Exceeded_KillsAndSaysSo()
    {
        RunResult result = Store.Run(60, "run", "--name", "c", "-m", "16m", "--memory-swap", "16m", Store.Busybox,
            "sh", "-c", "exec tail -c 200m /dev/zero");

        Assert.Equal(137, result.ExitCode);
        Assert.Equal("true", Inspect("c", "{{.State.OOMKilled}}"));
        Assert.Contains("OOM", Store.Run("ps", "-a").Ok() + Inspect("c", "{{json .State}}"), StringComparison.OrdinalIgnoreCase);
    }

    [KernelFact(Needs.Limits)]
    public void Memory_BelowTheLimit_Runs()
    {
        InBusybox("head -c 4m /dev/zero | tail -c 4m | wc -c", "-m", "64m").Ok();
    }

    [KernelFact(Needs.Limits)]
    public void Memory_Given_IsInspectedAndSetOnTheCgroup()
    {
        Detached("c", ["-m", "64m"]);

        Assert.Equal("67108864", Inspect("c", "{{.HostConfig.Memory}}"));
        Assert.Equal("67108864", OnCgroup("c", "memory", "memory.limit_in_bytes", "memory.max"));
    }

    [KernelFact(Needs.Limits)]
    public void Pids_Exceeded_RefuseForks()
    {
        RunResult result = InBusybox("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; echo all", "--pids-limit", "8");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("fork", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits)]
    public void Cpus_Half_IsTheQuota()
    {
        Detached("c", ["--cpus", "0.5"]);

        string quota = OnCgroup("c", "cpu", "cpu.cfs_quota_us", "cpu.max");
        Assert.Equal("50000", quota.Split(' ')[0]);
    }

    [KernelFact(Needs.Limits)]
    public void Cpus_Half_SlowsABusyLoop()
    {
        // CPU time against wall time of a loop that would take all it gets.
        string[] times = InBusybox("""
            start=$(cut -d' ' -f1 /proc/uptime); end=$(echo $start | awk '{ print $1 + 2 }')
            while [ "$(awk -v e=$end '{ print ($1 < e) }' /proc/uptime)" = 1 ]; do i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; done
            awk -v s=$start '{ printf "%.2f\n", $1 - s }' /proc/uptime
            awk '{ printf "%.2f\n", ($14 + $15 + $16 + $17) / 100 }' /proc/1/stat
            """, "--cpus", "0.5").Ok().Split('\n');

        double wall = double.Parse(times[0], CultureInfo.InvariantCulture);
        double processor = double.Parse(times[1], CultureInfo.InvariantCulture);
        Assert.InRange(processor / wall, 0.05, 0.7);
    }

    [KernelFact(Needs.Limits)]
    public void CpuShares_Given_AreSet()
    {
        Detached("c", ["--cpu-shares", "512"]);

        // v2: 1 + (512 - 2) * 9999 / 262142 = 20.
        Assert.Contains(OnCgroup("c", "cpu", "cpu.shares", "cpu.weight"), new[] { "512", "20" });
    }

    [KernelFact(Needs.Cpuset)]
    public void Cpuset_Given_IsSeenInside()
    {
        Assert.Equal("Cpus_allowed_list:\t0", InBusybox("grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", "0").Ok());
    }

    [KernelFact(Needs.Limits)]
    public void Device_NotGiven_IsRefusedByTheDeviceRules()
    {
        // mknod is among the 14 capabilities; the rule against opening it is the cgroup's.
        RunResult result = InBusybox("mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("not permitted", result.Stderr, StringComparison.OrdinalIgnoreCase);
    }

    [KernelFact(Needs.Limits)]
    public void Cgroup_AfterTheEnd_IsGone()
    {
        string id = Detached("c", ["-m", "32m"]);
        Store.Run("rm", "-f", "c").Ok();

        Assert.Equal("", Store.Shell($"find /sys/fs/cgroup -maxdepth 4 -name '*{id[..12]}*'").Ok());
    }

    private string OnCgroup(string container, string controller, string v1File, string v2File)
    {
        string pid = Inspect(container, "{{.State.Pid}}");
        foreach (string line in File.ReadLines($"/proc/{pid}/cgroup"))
        {
            string[] fields = line.Split(':', 3);
            if (fields[1].Split(',').Contains(controller) && Machine.CgroupV1Mount(controller) is string mount)
            {
                return File.ReadAllText($"{mount}{fields[2]}/{v1File}").Trim();
            }
        }

        string unified = File.ReadLines($"/proc/{pid}/cgroup").First(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];
        return File.ReadAllText($"{Machine.CgroupV2Mount}{unified}/{v2File}").Trim();
    }
}
