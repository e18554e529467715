using Hull.Engine.Containers;
using Hull.Networking.Endpoints;

namespace Hull.Engine.Tests;

public class RequestValidatorTests
{
    public static TheoryData<string, HostConfig> WrongHosts => new()
    {
        { "Minimum memory limit allowed is 6MB", Limits(new Resources { Memory = 1 << 20 }) },
        { "Minimum memoryswap limit should be larger than memory limit", Limits(new Resources { Memory = 64 << 20, MemorySwap = 32 << 20 }) },
        { "You should always set the Memory limit when using Memoryswap limit", Limits(new Resources { MemorySwap = 32 << 20 }) },
        { "valid memory swappiness range is 0-100", Limits(new Resources { MemorySwappiness = 101 }) },
        { "Minimum memory limit can not be less than memory reservation limit", Limits(new Resources { Memory = 8 << 20, MemoryReservation = 9 << 20 }) },
        { "Nano CPUs and CPU Period cannot both be set", Limits(new Resources { NanoCpus = 10_000_000, CpuPeriod = 1000 }) },
        { "Range of CPUs is from 0.01 to", Limits(new Resources { NanoCpus = long.MaxValue }) },
        { "Range of CPUs is from 0.01 to", Limits(new Resources { NanoCpus = 1 }) },
        { "CPU cfs period", Limits(new Resources { CpuPeriod = 10 }) },
        { "CPU cfs quota", Limits(new Resources { CpuQuota = 10 }) },
        { "invalid CPU shares (1)", Limits(new Resources { CpuShares = 1 }) },
        { "Range of blkio weight is from 10 to 1000", Limits(new Resources { BlkioWeight = 5 }) },
        { "Invalid value 0-2147483647 for cpuset cpus", Limits(new Resources { CpusetCpus = "0-2147483647" }) },
        { "Invalid value 1-0 for cpuset mems", Limits(new Resources { CpusetMems = "1-0" }) },
        { "invalid --pids-limit", Limits(new Resources { PidsLimit = -2 }) },
        { "range for oom score adj is [-1000, 1000]", new HostConfig { OomScoreAdj = 1001 } },
        { "SHM size can not be less than 0", new HostConfig { ShmSize = -1 } },
        { "cannot specify both --restart and --rm", new HostConfig { AutoRemove = true, RestartPolicy = RestartPolicy.Parse("always") } },
        { "--pid: invalid PID mode: mine", new HostConfig { PidMode = "mine" } },
        { "--ipc: invalid IPC mode: container:", new HostConfig { IpcMode = "container:" } },
        { "--uts: invalid UTS mode", new HostConfig { UtsMode = "none" } },
        { "--cgroupns: invalid CGROUP mode", new HostConfig { CgroupnsMode = "x" } },
        { "Container id/name needed", new HostConfig { NetworkMode = "container:" } },
        { "invalid publish '80:0'", new HostConfig { Publish = ["80:0"] } },
        { "cannot be combined with other networks", new HostConfig { NetworkMode = "none", Endpoints = [new EndpointSettings { Network = "a", NetworkName = "a" }] } },
        { "Container id/name needed", new HostConfig { NetworkMode = "container:" } },
        { "--userns: invalid USER mode 'me'", new HostConfig { UsernsMode = "me" } },
        { "privileged mode is incompatible with user namespaces", new HostConfig { UsernsMode = "remap:0:1000:1", Privileged = true } },
        { "cannot share the host's network namespace", new HostConfig { UsernsMode = "remap:0:1000:1", NetworkMode = "host" } },
        { "invalid --security-opt 2: \"x=y\"", new HostConfig { SecurityOpt = ["x=y"] } },
        { "Decoding seccomp profile failed", new HostConfig { SecurityOpt = ["seccomp={\"nope\":1}"] } },
        { "invalid device cgroup rule format", new HostConfig { DeviceCgroupRules = ["c 42 rmw"] } },
        { "unknown capability", new HostConfig { CapAdd = ["NOPE"] } },
        { "no log driver named 'syslog'", new HostConfig { LogConfig = new LogConfig { Driver = "syslog" } } },
        { "bad format for add-host", new HostConfig { ExtraHosts = ["a:1.2.3.4\n6.6.6.6 b"] } },
        { "bad format for add-host", new HostConfig { ExtraHosts = ["a\tb:1.2.3.4"] } },
        { "invalid IP address", new HostConfig { Dns = ["8.8.8.8\noptions x"] } },
        { "invalid domain", new HostConfig { DnsSearch = ["a b"] } },
        { "invalid dns option", new HostConfig { DnsOptions = ["a\nb"] } },
        { "annotation 'org.systemd.property.ExecStop' is not allowed", new HostConfig { Annotations = new Dictionary<string, string> { ["org.systemd.property.ExecStop"] = "x" } } },
        { "invalid --cgroup-parent", new HostConfig { CgroupParent = "/a/../../b" } },
        { "Duplicate mount point: /a", new HostConfig { Mounts = [MountConfig.ParseVolume("/x:/a"), MountConfig.ParseTmpfs("/a")] } },
    };

    [Theory]
    [MemberData(nameof(WrongHosts))]
    public void Validate_WrongHostConfig_SaysWhy(string words, HostConfig host) => AssertRefused(words, new CreateRequest { Image = "x", Host = host });

    [Theory]
    [InlineData("/proc")]
    [InlineData("/proc/self")]
    [InlineData("/proc/self/attr")]
    [InlineData("/proc/sys/kernel/core_pattern")]
    [InlineData("/sys/kernel/security")]
    [InlineData("/sys")]
    public void Validate_MountOverKernelFiles_IsRefused_CVE_2019_16884_CVE_2015_3631(string target)
    {
        AssertRefused("cannot be replaced", With(MountConfig.ParseVolume("data:" + target)));
        AssertRefused("cannot be replaced", With(MountConfig.ParseTmpfs(target)));
        Assert.Throws<EngineException>(() => RequestValidator.CheckImageVolume(target, target));
    }

    [Theory]
    [InlineData("/sys/fs/cgroup:/sys/fs/cgroup:ro")]
    [InlineData("/var/lib/lxcfs/proc/meminfo:/proc/meminfo")]
    public void Validate_HarmlessMountThere_IsAllowed(string volume) => RequestValidator.Validate(With(MountConfig.ParseVolume(volume)));

    [Theory]
    [InlineData("kernel.core_pattern", "x", "is not whitelisted")]
    [InlineData("kernel.shm_rmid_forced", "1\n", "control characters")]
    [InlineData("kernel.shm_rmid_forced+kernel.core_pattern", "x", "is not whitelisted")]
    [InlineData("net/../kernel/core_pattern", "x", "is not whitelisted")]
    [InlineData("net..x", "x", "is not whitelisted")]
    [InlineData("vm.swappiness", "0", "setting it would change the host")]
    [InlineData("", "0", "is not whitelisted")]
    public void Validate_SysctlOfTheHost_IsRefused_CVE_2022_0811(string key, string value, string words) =>
        AssertRefused(words, new CreateRequest { Image = "x", Host = new HostConfig { Sysctls = new Dictionary<string, string> { [key] = value } } });

    [Fact]
    public void Validate_SysctlOfASharedNamespace_IsRefused_GHSA_w2j5_3rcx_vx7x()
    {
        Dictionary<string, string> net = new() { ["net.core.somaxconn"] = "1" };
        Dictionary<string, string> ipc = new() { ["kernel.shmmax"] = "1" };

        AssertRefused("not allowed in host network namespace", new CreateRequest { Image = "x", Host = new HostConfig { Sysctls = net, NetworkMode = "host" } });
        AssertRefused("not allowed in host IPC namespace", new CreateRequest { Image = "x", Host = new HostConfig { Sysctls = ipc, IpcMode = "host" } });
        RequestValidator.Validate(new CreateRequest { Image = "x", Host = new HostConfig { Sysctls = net } });
    }

    [Theory]
    [InlineData("a b", "invalid hostname format")]
    [InlineData("evil\n1.2.3.4 bank", "invalid hostname format")]
    public void Validate_Hostname_CannotBecomeALine_CVE_2022_4318(string hostname, string words) =>
        AssertRefused(words, new CreateRequest { Image = "x", Payload = new PayloadConfig { Hostname = hostname } });

    [Fact]
    public void Validate_HostnameWithSharedNames_IsRefused()
    {
        PayloadConfig named = new() { Hostname = "box" };

        AssertRefused("hostname and the UTS mode", new CreateRequest { Image = "x", Payload = named, Host = new HostConfig { UtsMode = "host" } });
        AssertRefused("hostname and the network mode", new CreateRequest { Image = "x", Payload = named, Host = new HostConfig { NetworkMode = "container:a" } });
    }

    [Theory]
    [InlineData("relative/dir", "needs to be an absolute path")]
    public void Validate_WorkingDirectory_IsAbsolute(string directory, string words) =>
        AssertRefused(words, new CreateRequest { Image = "x", Payload = new PayloadConfig { WorkingDirectory = directory } });

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("sigkill", 9)]
    [InlineData("15", 15)]
    [InlineData("RTMIN+3", 37)]
    [InlineData("SIGRTMAX-1", 63)]
    public void Signal_Names_AreRead(string text, int number) => Assert.Equal(number, SignalText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-9")]
    [InlineData("NOPE")]
    [InlineData("RTMIN+99")]
    public void Signal_Wrong_IsRefused(string text) => Assert.Throws<EngineException>(() => SignalText.Parse(text));

    [Theory]
    [InlineData("remap:0:100000:65536", 1)]
    [InlineData("remap:0:100000:1,1:200000:65535", 2)]
    [InlineData("host", null)]
    [InlineData("", null)]
    public void UserNamespace_Mapping_IsRead(string mode, int? count) => Assert.Equal(count, UserNamespaceMapping.Parse(mode)?.Count);

    [Theory]
    [InlineData("remap:1:100000:10", "id 0 of the container is not mapped")]
    [InlineData("remap:0:100000:10,5:200000:10", "overlap")]
    [InlineData("remap:0:100000:10,10:100005:10", "overlap")]
    [InlineData("remap:0:4294967295:1", "ids end at")]
    [InlineData("remap:0:4294967290:10", "ids end at")]
    [InlineData("remap:0:1:0", "three numbers")]
    [InlineData("remap:0:-1:1", "three numbers")]
    [InlineData("auto", "expected 'host' or")]
    public void UserNamespace_WrongMapping_SaysWhy(string mode, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => UserNamespaceMapping.Parse(mode)).Message, StringComparison.Ordinal);

    private static HostConfig Limits(Resources resources) => new() { Resources = resources };

    private static CreateRequest With(MountConfig mount) => new() { Image = "x", Host = new HostConfig { Mounts = [mount] } };

    private static void AssertRefused(string words, CreateRequest request)
    {
        EngineException error = Assert.Throws<EngineException>(() => RequestValidator.Validate(request));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(EngineErrorKind.Invalid, error.Kind);
    }
}
