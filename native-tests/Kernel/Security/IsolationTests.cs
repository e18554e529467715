using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>What a default container may not see or do: masked paths, devices, sysctls, kernel interfaces.</summary>
public sealed class IsolationTests(HullStore store) : SecurityTest(store)
{
    [KernelFact(Needs.Root)]
    public void Run_MaskedPaths_AreEmpty_CVE_2015_3630_CVE_2017_16539_CVE_2018_10892_GHSA_7ww5_4wqc_m92c()
    {
        const string Masked = "/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats "
            + "/proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap";

        string seen = InBusybox($"for p in {Masked}; do [ -d $p ] && ls $p; [ -f $p ] || [ -c $p ] && head -c 100 $p; done; true").Ok();

        Assert.Equal("", seen);
    }

    [KernelFact(Needs.Root)]
    public void Run_MaskedPaths_CannotBeWrittenOrUnmounted_CVE_2025_31133()
    {
        string seen = InBusybox("umount /proc/kcore && echo unmounted; mount -o remount,rw /proc/sys && echo remounted; for p in /proc/keys /proc/timer_list; do stat -c '%t:%T %F' $p; done; true").Ok();

        Assert.Equal("1:3 character special file\n1:3 character special file", seen);
    }

    [KernelFact(Needs.Root)]
    public void Run_ReadOnlyPaths_RefuseWrites()
    {
        string mounts = InBusybox("cat /proc/mounts").Ok();
        foreach (string path in new[] { "bus", "fs", "irq", "sys", "sysrq-trigger" }.Where(path => Path.Exists($"/proc/{path}")))
        {
            Assert.Contains(mounts.Split('\n'), line => line.StartsWith($"proc /proc/{path} proc ro,", StringComparison.Ordinal));
        }

        Assert.Contains("Read-only file system", InBusybox("(echo x > /proc/sys/kernel/core_pattern) 2>&1; true").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Run_Sys_IsReadOnly() =>
        Assert.Contains("Read-only file system", InBusybox("mkdir /sys/fs/cgroup/x 2>&1; (echo 1 > /sys/kernel/profiling) 2>&1; true").Ok(), StringComparison.Ordinal);

    [KernelFact(Needs.Root | Needs.Devices)]
    public void Run_DeviceNodes_CanBeMadeButNotOpened_GHSA_g54h_m393_cpwq()
    {
        string seen = InBusybox("mknod /tmp/sda b 8 0 && mknod /tmp/vda b 254 0 && mknod /tmp/mem c 1 1 && for d in sda vda mem; do head -c 1 /tmp/$d 2>&1; (echo x > /tmp/$d) 2>&1; done; true").Ok();

        Assert.Equal(6, seen.Split('\n').Count(line => line.Contains("Operation not permitted", StringComparison.Ordinal)));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("kernel.shm_rmid_forced=1+kernel.core_pattern=/tmp/x")]
    [InlineData("kernel.shm_rmid_forced=1\nkernel.core_pattern=/tmp/x")]
    [InlineData("kernel.core_pattern=/tmp/x")]
    [InlineData("kernel.sysrq=1")]
    [InlineData("vm.overcommit_memory=1")]
    [InlineData("net/../kernel/core_pattern=/tmp/x")]
    [InlineData("net.ipv4/../../kernel/core_pattern=/tmp/x")]
    [InlineData("net..kernel.core_pattern=/tmp/x")]
    public void Run_SysctlOfTheHost_IsRefused_CVE_2022_0811(string sysctl)
    {
        string before = File.ReadAllText("/proc/sys/kernel/core_pattern");

        Hull("run", "--rm", "--sysctl", sysctl, Store.Busybox, "true").Fails(125);

        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/core_pattern"));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("--network", "net.ipv4.ip_forward=0", "/proc/sys/net/ipv4/ip_forward")]
    [InlineData("--ipc", "kernel.shmmax=12345", "/proc/sys/kernel/shmmax")]
    public void Run_SysctlWithTheHostsNamespace_IsRefused_GHSA_w2j5_3rcx_vx7x(string option, string sysctl, string file)
    {
        string before = File.ReadAllText(file);

        Hull("run", "--rm", option, "host", "--sysctl", sysctl, Store.Busybox, "true").Fails(125);

        Assert.Equal(before, File.ReadAllText(file));
    }

    [KernelFact(Needs.Root)]
    public void Run_NewUserNamespaceForCgroups_IsRefused_CVE_2022_0492_CVE_2022_0185()
    {
        string seen = InBusybox("unshare -Ur true 2>&1; unshare -m true 2>&1; mount -t cgroup -o rdma x /tmp 2>&1; mount -t tmpfs x /tmp 2>&1; true").Ok();

        Assert.Equal(4, seen.Split('\n').Length);
        Assert.All(seen.Split('\n'), line => Assert.True(
            line.Contains("Operation not permitted", StringComparison.Ordinal) || line.Contains("permission denied", StringComparison.OrdinalIgnoreCase), line));
    }

    /// <summary>As Docker has it, NET_RAW is among the defaults and opens AF_PACKET; whoever drops it closes that door.</summary>
    [KernelFact(Needs.Root)]
    public void Run_WithoutNetRaw_NoPacketSocket_CVE_2020_14386()
    {
        const string Arping = "arping -c 1 -w 1 -I lo 127.0.0.1 2>&1 | head -1; true";

        Assert.DoesNotContain("not permitted", InBusybox(Arping).Ok(), StringComparison.Ordinal);
        Assert.Contains("Operation not permitted", InBusybox(Arping, "--cap-drop", "NET_RAW").Ok(), StringComparison.Ordinal);
    }

    /// <summary>Labels are data: none of them, whatever its prefix, steers the engine.</summary>
    [KernelFact(Needs.Root)]
    public void Run_LabelsThatLookLikeControlData_HaveNoEffect_CVE_2026_53488()
    {
        string marker = $"{Store.Scratch}/pwned";
        JsonObject labels = new()
        {
            ["hull.log-path"] = marker,
            ["io.containerd.log.uri"] = $"binary:///bin/touch?{marker}",
            ["com.docker.compose.project.working_dir"] = "/",
            ["org.systemd.property.ExecStopPost"] = $"touch {marker}",
            ["run.oci.hooks.stdout"] = marker,
            ["io.podman.annotations.privileged"] = "TRUE",
        };
        string image = new HostileImage(Store, "labels").Config("Labels", labels).Load();

        Hull("run", "-d", "--name", "labels", image, "sleep", "1000").Ok();

        Assert.Equal("json-file false", Inspect("labels", "{{.HostConfig.LogConfig.Type}} {{.HostConfig.Privileged}}"));
        Assert.StartsWith(Store.DataRoot, Inspect("labels", "{{.LogPath}}"), StringComparison.Ordinal);
        Hull("rm", "-f", "labels").Ok();
        Assert.False(File.Exists(marker));
    }

    [KernelFact(Needs.Root)]
    public void Run_CgroupFiles_CannotBeWritten_CVE_2022_0492_CVE_2023_25809()
    {
        string seen = InBusybox("for f in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs -o -name memory.max -o -name memory.limit_in_bytes); do (echo 1 > $f) 2>/dev/null && echo wrote $f; done; true").Ok();

        Assert.Equal("", seen);
    }

    [KernelFact(Needs.Root)]
    public void Run_UserProfile_IsApplied()
    {
        string profile = $"{Store.Scratch}/profile.json";
        File.WriteAllText(profile, """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28},{"names":["sethostname"],"action":"SCMP_ACT_ERRNO"}]}""");

        Assert.Contains("No space left on device", InBusybox("mkdir /x 2>&1; true", "--security-opt", $"seccomp={profile}").Ok(), StringComparison.Ordinal);
        // The default would forbid this one.
        Assert.Equal("made", InBusybox("unshare -U true && echo made", "--security-opt", $"seccomp={profile}").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_Unconfined_ForbidsNothing() =>
        Assert.Equal("made", InBusybox("unshare -U true && echo made", "--security-opt", "seccomp=unconfined").Ok());

    [KernelFact(Needs.Root)]
    public void Run_CapabilityOpensItsCalls_AsInDockersProfile() =>
        Assert.Equal("made", InBusybox("unshare -m true && mount -t tmpfs x /tmp && echo made", "--cap-add", "SYS_ADMIN").Ok());

    [KernelTheory(Needs.Root)]
    [InlineData("{", "not a seccomp profile")]
    [InlineData("""{"defaultAction":"SCMP_ACT_MAYBE"}""", "unknown action \"SCMP_ACT_MAYBE\"")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":9,"value":1,"op":"SCMP_CMP_EQ"}]}]}""", "9 is above 5")]
    public void Run_WrongProfile_SaysWhere(string text, string message)
    {
        string profile = $"{Store.Scratch}/wrong.json";
        File.WriteAllText(profile, text);

        Hull("run", "--rm", "--security-opt", $"seccomp={profile}", Store.Busybox, "true").Fails(125, message);
    }

    [KernelFact(Needs.Root)]
    public void Run_MissingProfile_SaysWhich() =>
        Hull("run", "--rm", "--security-opt", "seccomp=/nonexistent.json", Store.Busybox, "true").Fails(125, "/nonexistent.json", "ENOENT");

    [KernelTheory(Needs.Root)]
    [InlineData("--cap-add", "NET_ADMN", "did you mean NET_ADMIN?")]
    [InlineData("--cap-drop", "CAP_CHWON", "did you mean CAP_CHOWN?")]
    public void Run_UnknownCapability_NamesTheNearest(string option, string name, string message) =>
        Hull("run", "--rm", option, name, Store.Busybox, "true").Fails(125, message);

    [KernelFact(Needs.Root)]
    public void Run_CapDropAll_LeavesNone()
    {
        Assert.Contains("0000000000000000", InBusybox("grep CapEff /proc/self/status", "--cap-drop", "ALL").Ok(), StringComparison.Ordinal);
        Assert.Contains("0000000000000001", InBusybox("grep CapBnd /proc/self/status", "--cap-drop", "all", "--cap-add", "cap_chown").Ok(), StringComparison.Ordinal);
    }
}
