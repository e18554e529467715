using System.Text;
using Hull.Linux.Cgroups;

namespace Hull.Linux.Tests.Cgroups;

public sealed class CgroupHostTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-cgroups-").FullName;

    private const string Hybrid = """
        23 29 0:21 / /sys rw,nosuid shared:2 - sysfs sysfs rw
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
        33 31 0:30 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
        34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 master:3 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw shared:13 - cgroup cgroup rw,memory
        36 31 0:32 / /mnt/memory\040again rw - cgroup cgroup rw,memory

        """;

    private const string Legacy = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,clone_children,cpu
        37 31 0:33 / /sys/fs/cgroup/net\040cls rw - cgroup cgroup rw,net_cls,net_prio

        """;

    [Fact]
    public void FromMountInfo_HybridHost_FindsEachTreeOnceWithItsControllers()
    {
        Put("/sys/fs/cgroup/unified", "hugetlb\n");

        CgroupHost host = CgroupHost.FromMountInfo(Encoding.UTF8.GetBytes(Hybrid), _root);

        Assert.Equal(CgroupLayout.Hybrid, host.Layout);
        Assert.Equal(4, host.Hierarchies.Count);
        Assert.Equal($"{_root}/sys/fs/cgroup/cpu,cpuacct", host.Find("cpuacct")?.MountPoint);
        Assert.Same(host.Find("cpu"), host.Find("cpuacct"));
        Assert.Equal($"{_root}/sys/fs/cgroup/memory", host.Find("memory")?.MountPoint);
        Assert.True(host.Find("hugetlb")?.IsUnified);
        Assert.Equal(["name=systemd"], host.Hierarchies[1].Controllers);
        Assert.Null(host.Find("pids"));
    }

    [Fact]
    public void FromMountInfo_LegacyHost_HasNoUnifiedTree()
    {
        CgroupHost host = CgroupHost.FromMountInfo(Encoding.UTF8.GetBytes(Legacy));

        Assert.Equal(CgroupLayout.Legacy, host.Layout);
        Assert.Null(host.Unified);
        Assert.Equal(["cpu"], host.Find("cpu")!.Controllers);
        Assert.Equal("/sys/fs/cgroup/net cls", host.Find("net_prio")?.MountPoint);
    }

    [Fact]
    public void FromMountInfo_OnlyUnifiedSomewhereElse_IsUnified()
    {
        Put("/cg", "cpu memory\n");

        CgroupHost host = CgroupHost.FromMountInfo("40 23 0:9 / /cg rw - cgroup2 none rw\n"u8, _root);

        Assert.Equal(CgroupLayout.Unified, host.Layout);
        Assert.Equal(["cpu", "memory"], host.Unified!.Controllers);
    }

    [Fact]
    public void FromMountInfo_NoCgroups_IsNone() =>
        Assert.Equal(CgroupLayout.None, CgroupHost.FromMountInfo("23 29 0:21 / /sys rw - sysfs sysfs rw\nnonsense\n"u8).Layout);

    [Fact]
    public void FromUnified_ReadsControllers()
    {
        Put("", "cpuset cpu io memory pids\n");

        CgroupHost host = CgroupHost.FromUnified(_root);

        Assert.Equal(CgroupLayout.Unified, host.Layout);
        Assert.Equal(5, host.Unified!.Controllers.Count);
        Assert.Same(host.Unified, host.Find("pids"));
    }

    [Fact]
    public void Detect_ThisMachine_Succeeds() => Assert.NotEqual((CgroupLayout)99, CgroupHost.Detect().Layout);

    [Fact]
    public void Write_MissingFile_NamesFileValueAndErrno()
    {
        Put("", "memory\n");
        using CgroupDirectory directory = CgroupHost.FromUnified(_root).Unified!.Directory("/");

        SyscallException error = Assert.Throws<SyscallException>(() => directory.Write("memory.max", "1000\n", "is memory in cgroup.subtree_control?"));

        Assert.Equal(
            $"write {_root}/memory.max (value=1000): ENOENT (No such file or directory) (is memory in cgroup.subtree_control?)",
            error.Message);
    }

    [Fact]
    public void Read_NumbersKeysAndProcesses_AreParsed()
    {
        Put("", "memory\n");
        File.WriteAllText($"{_root}/memory.max", "max\n");
        File.WriteAllText($"{_root}/memory.current", "4096\n");
        File.WriteAllText($"{_root}/memory.events", "low 0\noom 2\noom_kill 7\n");
        File.WriteAllText($"{_root}/cgroup.procs", "12\n0\n345\n");
        using CgroupDirectory directory = CgroupHost.FromUnified(_root).Unified!.Directory("/");

        Assert.Null(directory.ReadNumber("memory.max"));
        Assert.Equal(4096ul, directory.ReadNumber("memory.current"));
        Assert.Equal(7ul, directory.ReadKey("memory.events", "oom_kill"));
        Assert.Equal(2ul, directory.ReadKey("memory.events", "oom"));
        Assert.Null(directory.ReadKey("memory.events", "oom_group_kill"));
        Assert.Equal([12, 345], directory.Processes());
    }

    [Fact]
    public void TryRemove_WithChildren_RemovesThemFirst()
    {
        Put("", "memory\n");
        Directory.CreateDirectory($"{_root}/a/b/c");
        using CgroupDirectory directory = CgroupHost.FromUnified(_root).Unified!.Directory("/a");

        Assert.Equal(Errno.None, directory.TryRemove());
        Assert.False(Directory.Exists($"{_root}/a"));
        Assert.Equal(Errno.None, directory.TryRemove());
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Put(string directory, string controllers)
    {
        Directory.CreateDirectory(_root + directory);
        File.WriteAllText($"{_root}{directory}/cgroup.controllers", controllers);
    }
}
