using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Tests.Cgroups;

public sealed class CgroupPlanTests : IDisposable
{
    private const long Mib = 1 << 20;

    private readonly FakeCgroups _fake = new();

    public void Dispose() => _fake.Dispose();

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1024, 100)]
    [InlineData(2000, 170)]
    [InlineData(262144, 10000)]
    public void FromShares_KnownValues_AsRuncAndCrun(ulong shares, ulong weight) =>
        Assert.Equal(weight, CpuWeight.FromShares(shares));

    [Fact]
    public void FromShares_EveryValue_NeverFallsAndStaysInRange()
    {
        ulong last = 1;
        for (ulong shares = 2; shares <= 262144; shares++)
        {
            ulong weight = CpuWeight.FromShares(shares);
            Assert.InRange(weight, last, 10000ul);
            last = weight;
        }
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(500, 4950)]
    [InlineData(1000, 10000)]
    public void FromBlockIo_KnownValues(ushort weight, ulong expected) => Assert.Equal(expected, CpuWeight.FromBlockIo(weight));

    [Fact]
    public void Build_MemoryOnUnified_SwapIsWithoutMemory() => Assert.Equal(
        ["memory memory.swap.max 67108864", "memory memory.max 67108864", "memory memory.low 1048576"],
        Plan(_fake.Unified(), new() { Memory = new() { Limit = 64 * Mib, Swap = 128 * Mib, Reservation = Mib } }));

    [Fact]
    public void Build_MemoryOnLegacy_LimitBeforeMemoryAndSwap() => Assert.Equal(
        [
            "memory memory.limit_in_bytes 67108864", "memory memory.memsw.limit_in_bytes 134217728",
            "memory memory.soft_limit_in_bytes 1048576", "memory memory.swappiness 10", "memory memory.oom_control 1",
        ],
        Plan(_fake.Hybrid("memory"), new()
        {
            Memory = new() { Limit = 64 * Mib, Swap = 128 * Mib, Reservation = Mib, Swappiness = 10, DisableOOMKiller = true },
        }));

    [Fact]
    public void Build_MemoryOfARunningContainerOnLegacy_WidensSwapFirst() => Assert.Equal(
        ["memory memory.memsw.limit_in_bytes -1", "memory memory.limit_in_bytes 67108864", "memory memory.memsw.limit_in_bytes 67108864"],
        Plan(_fake.Legacy("memory"), new() { Memory = new() { Limit = 64 * Mib, Swap = 64 * Mib } }, fresh: false));

    [Fact]
    public void Build_SwapUnlimitedOnUnified_WritesMax() => Assert.Equal(
        ["memory memory.swap.max max", "memory memory.max 1048576"],
        Plan(_fake.Unified(), new() { Memory = new() { Limit = Mib, Swap = -1 } }));

    [Fact]
    public void Build_SwapEqualToMemory_GivesNoSwapAtAll() => Assert.Equal(
        "memory memory.swap.max 0", Plan(_fake.Unified(), new() { Memory = new() { Limit = Mib, Swap = Mib } })[0]);

    [Fact]
    public void Build_MemoryUnlimitedInUpdate_LiftsSwapToo() => Assert.Equal(
        ["memory memory.swap.max max", "memory memory.max max"],
        Plan(_fake.Unified(), new() { Memory = new() { Limit = -1 } }, fresh: false));

    [Theory]
    [InlineData(0, Mib, "swap limit (--memory-swap) 1048576: needs a memory limit as well (--memory)")]
    [InlineData(2 * Mib, Mib, "swap limit (--memory-swap) 1048576: is memory and swap together, so it must be at least the memory limit, 2097152")]
    public void Build_SwapThatCannotBe_SaysWhy(long limit, long swap, string expected) => Assert.Equal(
        expected, Fails(_fake.Unified(), new() { Memory = new() { Limit = limit, Swap = swap } }));

    [Fact]
    public void Build_OnlyV1Knows_RefusedOnUnified()
    {
        CgroupHost host = _fake.Unified();

        Assert.StartsWith("memory swappiness (--memory-swappiness): cgroup v2 has no", Fails(host, new() { Memory = new() { Swappiness = 1 } }));
        Assert.StartsWith("--oom-kill-disable: cgroup v2 cannot", Fails(host, new() { Memory = new() { DisableOOMKiller = true } }));
        Assert.StartsWith("kernel memory limit", Fails(host, new() { Memory = new() { Kernel = Mib } }));
        Assert.StartsWith("network class id: cgroup v2 has no", Fails(host, new() { Network = new() { ClassID = 1 } }));
        Assert.StartsWith("real-time processor limit", Fails(host, new() { Cpu = new() { RealtimeRuntime = 1 } }));
        Assert.StartsWith("block I/O leaf weight", Fails(host, new() { BlockIO = new() { LeafWeight = 10 } }));
    }

    [Fact]
    public void Build_CpuOnUnified_QuotaAndPeriodAreOneValue() => Assert.Equal(
        ["cpu cpu.weight 100", "cpu cpu.max 50000 100000", "cpu cpu.max.burst 1000", "cpu cpu.idle 1"],
        Plan(_fake.Unified(), new() { Cpu = new() { Shares = 1024, Quota = 50000, Burst = 1000, Idle = 1 } }));

    [Fact]
    public void Build_CpuOnLegacy_PeriodBeforeQuotaBeforeBurst() => Assert.Equal(
        ["cpu cpu.shares 512", "cpu cpu.cfs_period_us 20000", "cpu cpu.cfs_quota_us 10000", "cpu cpu.cfs_burst_us 1000"],
        Plan(_fake.Legacy("cpu"), new() { Cpu = new() { Shares = 512, Period = 20000, Quota = 10000, Burst = 1000 } }));

    [Fact]
    public void Build_CpuOfARunningContainerOnLegacy_OpensQuotaFirst() => Assert.Equal(
        ["cpu cpu.cfs_burst_us 0", "cpu cpu.cfs_quota_us -1", "cpu cpu.cfs_period_us 20000", "cpu cpu.cfs_quota_us 10000"],
        Plan(_fake.Legacy("cpu"), new() { Cpu = new() { Period = 20000, Quota = 10000 } }, fresh: false));

    [Theory]
    [InlineData(1ul, 0L, 0ul, "processor shares (--cpu-shares) 1: 2 to 262144")]
    [InlineData(0ul, 999L, 0ul, "processor quota (--cpus, --cpu-quota, --cpu-period): a quota of 999 microseconds, at least 1000 are possible")]
    [InlineData(0ul, 0L, 999ul, "processor quota (--cpus, --cpu-quota, --cpu-period): a period of 999 microseconds, 1000 to 1000000 are possible")]
    public void Build_CpuOutOfRange_SaysTheRange(ulong shares, long quota, ulong period, string expected) => Assert.Equal(
        expected, Fails(_fake.Unified(), new() { Cpu = new() { Shares = shares, Quota = quota, Period = period } }));

    [Fact]
    public void Build_Pids_ZeroAndNegativeAreUnlimited()
    {
        CgroupHost host = _fake.Unified();

        Assert.Equal(["pids pids.max 7"], Plan(host, new() { Pids = new() { Limit = 7 } }));
        Assert.Empty(Plan(host, new() { Pids = new() { Limit = -1 } }));
        Assert.Equal(["pids pids.max max"], Plan(host, new() { Pids = new() { Limit = 0 } }, fresh: false));
        Assert.Empty(Plan(_fake.Legacy("cpu"), new() { Pids = new() { Limit = -1 } }));
    }

    [Fact]
    public void Build_Cpuset_ComparesWithWhatTheHostHas()
    {
        CgroupHost host = _fake.Unified();
        _fake.Put("cpuset.cpus.effective", "0-3\n");
        _fake.Put("cpuset.mems.effective", "0\n");

        Assert.Equal(
            ["cpuset cpuset.cpus 0-2", "cpuset cpuset.mems 0"],
            Plan(host, new() { Cpu = new() { Cpus = "2,0-1", Mems = "0" } }));
        Assert.Equal("processors (--cpuset-cpus): requested 3-5, available 0-3", Fails(host, new() { Cpu = new() { Cpus = "3-5" } }));
    }

    [Theory]
    [InlineData("0-2147483647", "2147483647 is beyond 8191, the most a kernel has")]
    [InlineData("0-99999999999999999999", "not a list like 0-3,7")]
    [InlineData("3-1", "the range 3-1 goes backwards")]
    [InlineData("a", "not a list like 0-3,7")]
    [InlineData("1,,2", "not a list like 0-3,7")]
    public void Build_CpusetHugeOrBroken_IsRefusedBeforeAnythingIsAllocated_CVE_2018_20699(string list, string reason)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.EndsWith(reason, Fails(_fake.Unified(), new() { Cpu = new() { Cpus = list } }));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Build_BlockIo_OnUnified()
    {
        IReadOnlyList<CgroupWrite> writes = CgroupPlan.Build(_fake.Unified(), new()
        {
            BlockIO = new()
            {
                Weight = 500,
                WeightDevice = [new() { Major = 8, Minor = 0, Weight = 10 }],
                ThrottleReadBpsDevice = [new() { Major = 8, Minor = 0, Rate = 1000 }],
                ThrottleWriteIOPSDevice = [new() { Major = 8, Minor = 16, Rate = 0 }],
            },
        }, fresh: true);

        Assert.Equal(
            ["io io.bfq.weight 500", "io io.bfq.weight 8:0 10", "io io.max 8:0 rbps=1000", "io io.max 8:16 wiops=max"],
            writes.Select(write => write.ToString()));
        Assert.Equal("io io.weight 4950", writes[0].Otherwise?.ToString());
        Assert.Equal("io io.weight 8:0 1", writes[1].Otherwise?.ToString());
    }

    [Fact]
    public void Build_BlockIo_OnLegacy()
    {
        IReadOnlyList<CgroupWrite> writes = CgroupPlan.Build(_fake.Hybrid("blkio"), new()
        {
            BlockIO = new()
            {
                Weight = 500,
                ThrottleReadBpsDevice = [new() { Major = 8, Minor = 0, Rate = 1000 }],
                ThrottleWriteIOPSDevice = [new() { Major = 8, Minor = 16, Rate = 5 }],
            },
        }, fresh: true);

        Assert.Equal(
            ["blkio blkio.bfq.weight 500", "blkio blkio.throttle.read_bps_device 8:0 1000", "blkio blkio.throttle.write_iops_device 8:16 5"],
            writes.Select(write => write.ToString()));
        Assert.Equal("blkio blkio.weight 500", writes[0].Otherwise?.ToString());
    }

    [Fact]
    public void Build_HugePagesRdmaNetwork_AreWritten()
    {
        Assert.Equal(
            ["hugetlb hugetlb.2MB.max 4096", "hugetlb hugetlb.2MB.rsvd.max 4096", "rdma rdma.max mlx5_0 hca_handle=2 hca_object=3"],
            Plan(_fake.Unified(), new()
            {
                HugepageLimits = [new() { PageSize = "2MB", Limit = 4096 }],
                Rdma = new Dictionary<string, RdmaLimit> { ["mlx5_0"] = new() { HcaHandles = 2, HcaObjects = 3 } },
            }));
        Assert.Equal(
            ["net_cls net_cls.classid 1048577", "net_prio net_prio.ifpriomap eth0 5"],
            Plan(_fake.Legacy("net_cls", "net_prio"), new()
            {
                Network = new() { ClassID = 1048577, Priorities = [new() { Name = "eth0", Priority = 5 }] },
            }));
    }

    [Fact]
    public void Build_Unified_OnlyFilesOfControllersThatAreThere_CVE_2023_6476()
    {
        CgroupHost host = _fake.Unified("memory");

        Assert.Equal(
            ["cgroup cgroup.max.depth 3", "memory memory.high 5"],
            Plan(host, new() { Unified = new Dictionary<string, string> { ["memory.high"] = "5", ["cgroup.max.depth"] = "3" } }));
        foreach (string file in (string[])["../memory.max", "memory", "cgroup.procs", "cgroup.subtree_control", "cpu.max"])
        {
            Assert.StartsWith(
                $"linux.resources.unified[\"{file}\"]: ",
                Fails(host, new() { Unified = new Dictionary<string, string> { [file] = "1" } }));
        }
    }

    [Fact]
    public void Build_UnifiedOnLegacyHost_SaysSo() => Assert.Equal(
        "linux.resources.unified[\"memory.high\"]: this host has no cgroup v2",
        Fails(_fake.Legacy("memory"), new() { Unified = new Dictionary<string, string> { ["memory.high"] = "5" } }));

    [Fact]
    public void Build_ControllerMissing_NamesControllerAndFile()
    {
        Assert.Equal(
            $"memory limit (--memory): this host has no memory controller: {_fake.Root}/cgroup.controllers does not list it "
            + "(boot with cgroup_enable=memory, or run without the limit)",
            Fails(_fake.Unified("cpu"), new() { Memory = new() { Limit = Mib } }));
        Assert.Equal(
            "process limit (--pids-limit): this host has no pids controller: no cgroup v2 is mounted and no cgroup v1 mount has it "
            + "(run without the limit)",
            Fails(_fake.Legacy("cpu"), new() { Pids = new() { Limit = 5 } }));
    }

    private static string[] Plan(CgroupHost host, LinuxResources resources, bool fresh = true) =>
        CgroupPlan.Build(host, resources, fresh).Select(write => write.ToString()).ToArray();

    private static string Fails(CgroupHost host, LinuxResources resources) =>
        Assert.Throws<CgroupException>(() => CgroupPlan.Build(host, resources, fresh: true)).Message;
}
