using Hull.Linux.Cgroups;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Tests.Cgroups;

public sealed class ContainerCgroupTests : IDisposable
{
    private readonly FakeCgroups _fake = new();

    public void Dispose() => _fake.Dispose();

    [Theory]
    [InlineData(null, "/hull/id")]
    [InlineData("", "/hull/id")]
    [InlineData("/a/b", "/a/b")]
    [InlineData("//a/./b/", "/a/b")]
    [InlineData("pod/c", "/hull/pod/c")]
    [InlineData("system.slice:docker:c", "/hull/system.slice:docker:c")]
    public void Resolve_SpecPath_IsAbsolute(string? path, string expected) => Assert.Equal(expected, ContainerCgroup.Resolve(path, "id"));

    [Theory]
    [InlineData("/")]
    [InlineData("/../x")]
    [InlineData("a/../../b")]
    public void Resolve_OutsideOrRoot_IsRefused(string path) => Assert.Throws<CgroupException>(() => ContainerCgroup.Resolve(path, "id"));

    [Fact]
    public void Create_Unified_EnablesControllersAllTheWay()
    {
        CgroupHost host = _fake.Unified("cpu memory");
        _fake.Put("hull/cgroup.subtree_control", "");

        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");

        Assert.True(_fake.Has("hull/a"));
        Assert.Equal("+cpu +memory", _fake.Get("cgroup.subtree_control"));
        Assert.Equal("+cpu +memory", _fake.Get("hull/cgroup.subtree_control"));
        Assert.NotNull(cgroup.CloneTarget);
        Assert.Empty(cgroup.SelfAttach);
    }

    [Fact]
    public void DetailedStats_Unified_CountsAsV1Does()
    {
        CgroupHost host = _fake.Unified();
        _fake.Put("hull/a/memory.current", "1000\n");
        _fake.Put("hull/a/memory.max", "max\n");
        _fake.Put("hull/a/memory.swap.current", "24\n");
        _fake.Put("hull/a/memory.stat", "anon 5\nfile 7\n");
        _fake.Put("hull/a/io.stat", "8:0 rbytes=4096 wbytes=1 rios=2 wios=3 dbytes=0 dios=0\n");
        _fake.Put("hull/a/hugetlb.2MB.current", "2097152\n");
        _fake.Put("hull/a/hugetlb.2MB.rsvd.current", "0\n");
        _fake.Put("hull/a/hugetlb.2MB.events", "max 4\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        CgroupStats stats = cgroup.DetailedStats();

        // v2 counts swap alone, the document both together.
        Assert.Equal((1024UL, (ulong?)null), (stats.SwapUsage!.Value, stats.SwapLimit));
        Assert.Equal(7UL, stats.MemoryCounts!["file"]);
        Assert.Equal([new BlockCount(8, 0, "Read", 4096), new BlockCount(8, 0, "Write", 1)], stats.BlockBytes);
        Assert.Equal([new BlockCount(8, 0, "Read", 2), new BlockCount(8, 0, "Write", 3)], stats.BlockRequests);
        Assert.Equal((2097152UL, 0UL, 4UL), stats.HugePages!["2MB"]);
        Assert.Single(stats.HugePages);
    }

    [Fact]
    public void DetailedStats_Legacy_HasCpusetAndTcpMemory()
    {
        CgroupHost host = _fake.Legacy("cpuset", "memory");
        _fake.Put("cpuset/hull/a/cpuset.cpus", "0-2,5\n");
        _fake.Put("cpuset/hull/a/cpuset.mems", "0\n");
        _fake.Put("cpuset/hull/a/cpuset.sched_relax_domain_level", "-1\n");
        _fake.Put("memory/hull/a/memory.kmem.tcp.usage_in_bytes", "10\n");
        _fake.Put("memory/hull/a/memory.kmem.tcp.max_usage_in_bytes", "20\n");
        _fake.Put("memory/hull/a/memory.kmem.tcp.failcnt", "3\n");
        _fake.Put("memory/hull/a/memory.kmem.tcp.limit_in_bytes", "4096\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        CgroupStats stats = cgroup.DetailedStats();

        Assert.Equal([0, 1, 2, 5], stats.Cpuset!.Processors);
        Assert.Equal([0], stats.Cpuset.MemoryNodes);
        Assert.Equal("-1", Assert.Single(stats.Cpuset.Flags).Value);
        Assert.Equal(new MemoryUse(10, 20, 3, 4096), stats.KernelTcp);
    }

    [Fact]
    public void DetailedStats_UnifiedCpuset_IsWhatIsInForce()
    {
        CgroupHost host = _fake.Unified("cpuset memory");
        _fake.Put("hull/a/cpuset.cpus", "\n");
        _fake.Put("hull/a/cpuset.cpus.effective", "0-1\n");
        _fake.Put("hull/a/cpuset.mems.effective", "0\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        CgroupStats stats = cgroup.DetailedStats();

        Assert.Equal([0, 1], stats.Cpuset!.Processors);
        Assert.Equal([0], stats.Cpuset.MemoryNodes);
        Assert.Empty(stats.Cpuset.Flags);
        Assert.Null(stats.KernelTcp);
    }

    [Fact]
    public void Update_PeriodAloneUnified_KeepsTheQuota()
    {
        CgroupHost host = _fake.Unified("cpu memory");
        _fake.Put("hull/a/cpu.max", "30000 50000\n");
        _fake.Put("hull/a/cpu.max.burst", "100\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        cgroup.Update(new() { Cpu = new() { Period = 20000 } });

        Assert.Equal("30000 20000", _fake.Get("hull/a/cpu.max").TrimEnd('\n'));
        Assert.Equal("100", _fake.Get("hull/a/cpu.max.burst").TrimEnd('\n'));
    }

    [Fact]
    public void Update_SwapAloneUnified_IsCountedFromTheMemoryLimit()
    {
        CgroupHost host = _fake.Unified("cpu memory");
        _fake.Put("hull/a/memory.max", "1048576\n");
        _fake.Put("hull/a/memory.swap.max", "max\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        cgroup.Update(new() { Memory = new() { Swap = 3 << 20 } });

        Assert.Equal("2097152", _fake.Get("hull/a/memory.swap.max").TrimEnd('\n'));
    }

    [Fact]
    public void Update_MemoryAboveTheLegacySwapLimit_SaysSoAndLeavesIt()
    {
        CgroupHost host = _fake.Legacy("memory");
        _fake.Put("memory/hull/a/memory.limit_in_bytes", "1048576\n");
        _fake.Put("memory/hull/a/memory.memsw.limit_in_bytes", "2097152\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        Assert.Contains(
            "give a new --memory-swap", Assert.Throws<CgroupException>(() => cgroup.Update(new() { Memory = new() { Limit = 3 << 20 } })).Message, StringComparison.Ordinal);
        Assert.Equal("2097152", _fake.Get("memory/hull/a/memory.memsw.limit_in_bytes").TrimEnd('\n'));
    }

    [Fact]
    public void Create_LegacyCpuset_IsFilledFromTheParents()
    {
        CgroupHost host = _fake.Legacy("cpuset", "memory");
        foreach ((string file, string value) in ((string, string)[])[("cpuset.cpus", "0-1\n"), ("cpuset.mems", "0\n")])
        {
            _fake.Put($"cpuset/{file}", value);
            _fake.Put($"cpuset/hull/{file}", "");
            _fake.Put($"cpuset/hull/a/{file}", "");
        }

        _fake.Put("cpuset/hull/cgroup.clone_children", "");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");

        Assert.Equal(("0-1", "0"), (_fake.Get("cpuset/hull/cpuset.cpus"), _fake.Get("cpuset/hull/cpuset.mems")));
        Assert.Equal(("0-1", "0"), (_fake.Get("cpuset/hull/a/cpuset.cpus"), _fake.Get("cpuset/hull/a/cpuset.mems")));
        Assert.Equal("1", _fake.Get("cpuset/hull/cgroup.clone_children"));
        Assert.True(_fake.Has("memory/hull/a"));
        Assert.Null(cgroup.CloneTarget);
    }

    [Fact]
    public void Create_CgroupWithProcesses_IsRefused()
    {
        CgroupHost host = _fake.Unified("");
        _fake.Put("hull/a/cgroup.procs", "12\n13\n");

        CgroupException error = Assert.Throws<CgroupException>(() => ContainerCgroup.Create(host, "/hull/a"));

        Assert.Equal($"cgroup /hull/a is in use: {_fake.Root}/hull/a/cgroup.procs lists 2 processes (12 13)", error.Message);
    }

    [Fact]
    public void Create_Fails_RemovesWhatItMade()
    {
        // The v1 tree for cpuset has no files, so that filling it fails after the others are made.
        CgroupHost host = _fake.Legacy("memory", "cpuset");

        Assert.Throws<CgroupException>(() => ContainerCgroup.Create(host, "/hull/a"));

        Assert.False(_fake.Has("memory/hull/a"));
        Assert.False(_fake.Has("cpuset/hull/a"));
    }

    [Fact]
    public void Create_NoCgroupMounted_SaysWhatToMount() => Assert.Equal(
        "no cgroup file system is mounted (mount -t cgroup2 cgroup2 /sys/fs/cgroup)",
        Assert.Throws<CgroupException>(() => ContainerCgroup.Create(_fake.Legacy(), "/hull/a")).Message);

    [Fact]
    public void Apply_Hybrid_EachValueInItsTree()
    {
        CgroupHost host = _fake.Hybrid("memory", "pids", "cpu", "devices");
        foreach (string file in (string[])[
            "memory/hull/a/memory.limit_in_bytes", "pids/hull/a/pids.max", "cpu/hull/a/cpu.cfs_period_us", "cpu/hull/a/cpu.cfs_quota_us",
            "cpu/hull/a/cpu.cfs_burst_us", "devices/hull/a/devices.allow", "devices/hull/a/devices.deny"])
        {
            _fake.Put(file, "");
        }

        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
        cgroup.Apply(new()
        {
            Memory = new() { Limit = 1 << 20 },
            Pids = new() { Limit = 9 },
            Cpu = new() { Period = 100000, Quota = 25000 },
        });

        Assert.Equal("1048576", _fake.Get("memory/hull/a/memory.limit_in_bytes"));
        Assert.Equal("9", _fake.Get("pids/hull/a/pids.max"));
        Assert.Equal("25000", _fake.Get("cpu/hull/a/cpu.cfs_quota_us"));
        Assert.Equal("a", _fake.Get("devices/hull/a/devices.deny"));
        Assert.Contains("c 1:3 rwm", _fake.Get("devices/hull/a/devices.allow"), StringComparison.Ordinal);
    }

    [Fact]
    public void Update_FileMissing_NamesFileAndReason()
    {
        CgroupHost host = _fake.Unified("cpu");
        _fake.Put("cgroup.subtree_control", "cpu");
        _fake.Put("hull/cgroup.subtree_control", "cpu");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");

        Assert.Equal(
            $"cannot set processor quota (--cpus, --cpu-quota, --cpu-period): write {_fake.Root}/hull/a/cpu.max (value=50000 100000): "
            + "ENOENT (No such file or directory) (this kernel has no such file)",
            Assert.Throws<CgroupException>(() => cgroup.Update(new() { Cpu = new() { Quota = 50000 } })).Message);
    }

    [Fact]
    public void Update_ControllerNotHandedDown_NamesTheUppermostGap()
    {
        CgroupHost host = _fake.Unified("cpu");
        _fake.Put("hull/cgroup.subtree_control", "");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
        _fake.Put("cgroup.subtree_control", "");
        _fake.Put("hull/cgroup.subtree_control", "");

        Assert.EndsWith(
            $"(cpu was not in {_fake.Root}/cgroup.subtree_control and is now: try again)",
            Assert.Throws<CgroupException>(() => cgroup.Update(new() { Cpu = new() { Quota = 50000 } })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Update_WeightWithoutBfq_TakesTheCommonFile()
    {
        CgroupHost host = _fake.Unified("io");
        _fake.Put("hull/a/io.weight", "");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");

        cgroup.Update(new() { BlockIO = new() { Weight = 1000 } });

        Assert.Equal("10000", _fake.Get("hull/a/io.weight"));
    }

    [Fact]
    public void Update_SwapNotCounted_FailsWithACureWhereTheHostHasSwapAndNotesItWhereNot()
    {
        CgroupHost host = _fake.Legacy("memory");
        _fake.Put("memory/hull/a/memory.limit_in_bytes", "");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
        bool swap = File.ReadAllLines("/proc/swaps").Length > 1;
        List<string> notes = [];

        string? error = Record.Exception(() => cgroup.Update(new() { Memory = new() { Limit = 1 << 20, Swap = 1 << 20 } }, notes))?.Message;

        if (swap)
        {
            Assert.Contains("swapaccount=1", error, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(error);
            Assert.Contains("does not count swap", Assert.Single(notes), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Stats_BothInterfaces_AreRead()
    {
        CgroupHost host = _fake.Unified("memory pids cpu io");
        _fake.Put("hull/a/memory.current", "8192\n");
        _fake.Put("hull/a/memory.max", "max\n");
        _fake.Put("hull/a/memory.stat", "anon 1\ninactive_file 4096\n");
        _fake.Put("hull/a/pids.current", "3\n");
        _fake.Put("hull/a/pids.max", "10\n");
        _fake.Put("hull/a/cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_throttled 1\nthrottled_usec 9\n");
        _fake.Put("hull/a/io.stat", "8:0 rbytes=100 wbytes=7 rios=1\n8:16 rbytes=11 wbytes=0 rios=2\n");
        _fake.Put("hull/a/memory.events", "oom_kill 2\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        Assert.Equal(
            new CgroupStats
            {
                MemoryUsage = 8192,
                MemoryInactiveFile = 4096,
                CpuNanoseconds = 5000,
                CpuUserNanoseconds = 3000,
                CpuSystemNanoseconds = 2000,
                CpuThrottledPeriods = 1,
                CpuThrottledNanoseconds = 9000,
                Pids = 3,
                PidsLimit = 10,
                BlockRead = 111,
                BlockWritten = 7,
            },
            cgroup.Stats());
        Assert.Equal(2ul, cgroup.OomKills());
    }

    [Fact]
    public void MemoryLimit_LegacyWithoutLimit_IsNull()
    {
        CgroupHost host = _fake.Legacy("memory");
        _fake.Put("memory/hull/a/memory.limit_in_bytes", "9223372036854771712\n");
        _fake.Put("memory/hull/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        Assert.Null(cgroup.MemoryLimit);
        Assert.Equal(4ul, cgroup.OomKills());
        _fake.Put("memory/hull/a/memory.limit_in_bytes", "4096\n");
        Assert.Equal(4096ul, cgroup.MemoryLimit);
    }

    [Theory]
    [InlineData(1000, "1000 B")]
    [InlineData(4096, "4 KiB")]
    [InlineData(64 << 20, "64 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    [InlineData((64 << 20) + 4096, "65540 KiB")]
    public void InWords_Bytes_InTheLargestExactUnit(long bytes, string expected) =>
        Assert.Equal(expected, ContainerCgroup.InWords((ulong)bytes));

    [Fact]
    public void FindAll_TreesThatDiffer_GivesTheUnion()
    {
        CgroupHost host = _fake.Hybrid("memory", "cpu");
        Directory.CreateDirectory($"{_fake.Root}/memory/hull/a");
        Directory.CreateDirectory($"{_fake.Root}/unified/hull/b/inner");

        Assert.Equal(["a", "b"], ContainerCgroup.FindAll(host).Order());
        Assert.Null(ContainerCgroup.Open(host, "/hull/c"));
        Assert.NotNull(ContainerCgroup.Open(host, "/hull/b"));
    }

    [Fact]
    public void Delete_CgroupsInside_AreRemovedToo()
    {
        CgroupHost host = _fake.Hybrid("memory");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
        Directory.CreateDirectory($"{_fake.Root}/unified/hull/a/inner/most");

        cgroup.Delete();
        cgroup.Delete();

        Assert.False(_fake.Has("unified/hull/a"));
        Assert.False(_fake.Has("memory/hull/a"));
    }

    [Fact]
    public void Delete_StillBusy_SaysWhatIsInIt()
    {
        CgroupHost host = _fake.Unified("");
        using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
        _fake.Put("hull/a/cgroup.procs", "77\n");

        Assert.Equal(
            $"cannot remove cgroup /hull/a: rmdir {_fake.Root}/hull/a: ENOTEMPTY (Directory not empty) (still in it: 77)",
            Assert.Throws<CgroupException>(() => cgroup.Delete(TimeSpan.Zero)).Message);
    }

    [Fact]
    public void Freeze_Unified_WaitsForTheKernel()
    {
        CgroupHost host = _fake.Unified("");
        _fake.Put("hull/a/cgroup.freeze", "0");
        _fake.Put("hull/a/cgroup.events", "populated 1\nfrozen 1\n");
        using ContainerCgroup cgroup = ContainerCgroup.Open(host, "/hull/a")!;

        cgroup.Freeze();

        Assert.True(cgroup.IsFrozen);
        cgroup.Thaw();
        Assert.False(cgroup.IsFrozen);
    }

    [Fact]
    public void Freeze_NoFreezer_SaysWhatIsNeeded() => Assert.Equal(
        "cannot freeze cgroup /hull/a: ENOENT (freezing needs cgroup v2 of Linux 5.2 or the freezer controller on v1)",
        Assert.Throws<CgroupException>(() =>
        {
            CgroupHost host = _fake.Legacy("memory");
            using ContainerCgroup cgroup = ContainerCgroup.Create(host, "/hull/a");
            cgroup.Freeze();
        }).Message);
}
