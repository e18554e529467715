using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>What Docker gives a container that asked for nothing (moby oci/defaults.go as of 28.x states the same facts).</summary>
public static class SpecDefaults
{
    public const string OciVersion = "1.2.0";
    public const string Path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    public const long ShmSize = 64 << 20;

    /// <summary>The kernel of the host shows through these, or they would let a container act on it. Covered by an empty file or
    /// directory; a path that a kernel lacks is passed over.</summary>
    public static readonly string[] MaskedPaths =
    [
        "/proc/acpi",                         // CVE-2018-10892
        "/proc/asound",
        "/proc/interrupts",                   // timing of other tenants' input
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",                         // CVE-2017-16539
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",      // power side channel, GHSA-7ww5-4wqc-m92c
        "/sys/firmware",
    ];

    public static readonly string[] ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>Deny all, then what the default nodes need. An empty list would allow everything (GHSA-g54h-m393-cpwq).</summary>
    public static readonly DeviceRule[] DeviceRules =
    [
        new() { Allow = false, Access = "rwm" },
        // Making a node is harmless: using it is what the rules below decide.
        new() { Allow = true, Type = "c", Access = "m" },
        new() { Allow = true, Type = "b", Access = "m" },
        Character(1, 3),   // null
        Character(1, 5),   // zero
        Character(1, 7),   // full
        Character(1, 8),   // random
        Character(1, 9),   // urandom
        Character(5, 0),   // tty
        Character(5, 1),   // console
        Character(5, 2),   // ptmx
        Character(136, null), // pts
    ];

    public static readonly DeviceRule[] PrivilegedDeviceRules = [new() { Allow = true, Access = "rwm" }];

    /// <param name="sysfs">False where the kernel refuses a new sysfs: a user namespace without a network namespace of its own.</param>
    /// <param name="ptsGroup">The tty group, 5 on every distribution; false where a user namespace does not map it.</param>
    public static List<Mount> Mounts(bool privileged, long shmSize, bool sysfs, bool ptsGroup)
    {
        string access = privileged ? "rw" : "ro";
        return
        [
            new() { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
            new() { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            new()
            {
                Destination = "/dev/pts",
                Type = "devpts",
                Source = "devpts",
                Options = ptsGroup
                    ? ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
                    : ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
            },
            sysfs
                ? new() { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", access] }
                : new() { Destination = "/sys", Type = "bind", Source = "/sys", Options = ["rbind", "rprivate", "nosuid", "noexec", "nodev", "rro"] },
            new() { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = [access, "nosuid", "noexec", "nodev"] },
            new() { Destination = "/dev/mqueue", Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
            new()
            {
                Destination = "/dev/shm",
                Type = "tmpfs",
                Source = "shm",
                Options = ["nosuid", "noexec", "nodev", "mode=1777", $"size={shmSize.ToString(System.Globalization.CultureInfo.InvariantCulture)}"],
            },
        ];
    }

    private static DeviceRule Character(long major, long? minor) => new() { Allow = true, Type = "c", Major = major, Minor = minor, Access = "rwm" };
}
