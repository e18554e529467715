namespace Hull.Kernel.Tests.Harness;

/// <summary>What a kernel test needs from the machine. A test whose needs are not met is skipped with the reason.</summary>
[Flags]
public enum Needs
{
    None = 0,
    Root = 1 << 0,

    /// <summary>cgroup v2 carries the cpu, memory and pids controllers.</summary>
    CgroupV2 = 1 << 1,

    /// <summary>The cpu, memory and pids controllers are bound to v1 hierarchies.</summary>
    CgroupV1 = 1 << 2,

    /// <summary>A cpuset controller, of either version.</summary>
    Cpuset = 1 << 3,

    /// <summary>overlayfs.</summary>
    Overlay = 1 << 4,

    /// <summary>CAP_SYS_RESOURCE: hard limits may be raised, oom_score_adj lowered.</summary>
    SysResource = 1 << 5,

    /// <summary>AppArmor is on.</summary>
    AppArmor = 1 << 6,

    /// <summary>Debian's skopeo is installed.</summary>
    Skopeo = 1 << 7,

    /// <summary>Debian's docker-registry is installed.</summary>
    Registry = 1 << 8,

    /// <summary>A loop device and mkfs.ext4.</summary>
    Loop = 1 << 9,

    /// <summary>Debian's runc is installed, as a second runtime to hold a bundle against.</summary>
    Runc = 1 << 10,

    /// <summary>CAP_MKNOD works for block devices and the host's device nodes can be opened.</summary>
    Devices = 1 << 11,

    /// <summary>The memory controller counts swap.</summary>
    Swap = 1 << 12,

    /// <summary>The cpu, memory and pids controllers, of either version. Tests with this need run in the guest too.</summary>
    Limits = 1 << 13,

    /// <summary>Debian's strace, and a host that lets root trace.</summary>
    Strace = 1 << 14,

    /// <summary>Debian's podman, containerd and docker.io, which call hull as their runtime.</summary>
    Callers = 1 << 15,

    /// <summary>Time namespaces (Linux 5.6, CONFIG_TIME_NS).</summary>
    TimeNamespace = 1 << 16,

    /// <summary>A kernel without them, to see that it is named: user-mode Linux.</summary>
    NoTimeNamespace = 1 << 17,

    /// <summary>systemd is process 1, on cgroup v2.</summary>
    Systemd = 1 << 18,

    /// <summary>Debian's criu, on a kernel that it knows.</summary>
    Criu = 1 << 19,

    /// <summary>Debian's podman.</summary>
    Podman = 1 << 20,

    /// <summary>SELinux enforces the suite's own policy, Security/selinux.cil.</summary>
    Selinux = 1 << 21,

    /// <summary>Network namespaces with bridges and veths, and Debian's iproute2 as a second opinion.</summary>
    Links = 1 << 22,

    /// <summary>nf_tables with NAT in inet tables, and Debian's nftables as a second opinion.</summary>
    Nftables = 1 << 23,

    /// <summary>The kinds of link that kernels have as modules: dummy and ipvlan.</summary>
    LinkModules = 1 << 24,

    /// <summary>Debian's dnsmasq.</summary>
    Dnsmasq = 1 << 25,

    /// <summary>Debian's iperf3.</summary>
    Iperf = 1 << 26,
}
