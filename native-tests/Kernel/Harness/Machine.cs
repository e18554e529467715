using System.Globalization;

namespace Hull.Kernel.Tests.Harness;

/// <summary>What this machine has, found out once, without asking hull.</summary>
public static class Machine
{
    private const string TimeNamespace = "/proc/self/ns/time";

    private static readonly Lazy<Dictionary<Needs, string?>> Missing = new(() => Enum.GetValues<Needs>()
        .Where(need => need != Needs.None)
        .ToDictionary(need => need, Probe));

    /// <summary>How much longer this machine takes than the one the time limits were written on.</summary>
    public static int TimeScale { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("HULL_TEST_TIME_SCALE"), CultureInfo.InvariantCulture, out int scale) ? scale : 1;

    /// <summary>Needs that this machine is known to meet: scripts/test names them, so that a probe that errs cannot turn
    /// a test into a quiet skip.</summary>
    public static Needs Promised { get; } =
        Enum.TryParse(Environment.GetEnvironmentVariable("HULL_TEST_PROMISED"), out Needs promised) ? promised : Needs.None;

    /// <summary>Why a test with these needs cannot run here; null when it can.</summary>
    public static string? WhyNot(Needs needs)
    {
        string[] reasons = [.. Missing.Value.Where(pair => needs.HasFlag(pair.Key) && pair.Value is not null).Select(pair => pair.Value!)];
        return reasons.Length == 0 ? null : string.Join("; ", reasons);
    }

    /// <summary>The effective capabilities of this process as a bit set.</summary>
    public static ulong EffectiveCapabilities { get; } = ulong.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal))[7..].Trim(),
        NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>The full path of a program on PATH; null when there is none.</summary>
    public static string? FindProgram(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin").Split(':')
            .Append("/usr/sbin").Append("/sbin")
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);

    /// <summary>The mount point of a v1 controller, from /proc/self/mountinfo; null when no v1 hierarchy has it.</summary>
    public static string? CgroupV1Mount(string controller)
    {
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] halves = line.Split(" - ", 2);
            string[] tail = halves[1].Split(' ');
            if (tail[0] == "cgroup" && tail[2].Split(',').Contains(controller))
            {
                return halves[0].Split(' ')[4];
            }
        }

        return null;
    }

    /// <summary>The mount point of the v2 hierarchy; null when it is not mounted.</summary>
    public static string? CgroupV2Mount { get; } = File.ReadLines("/proc/self/mountinfo")
        .Select(line => line.Split(" - ", 2))
        .Where(halves => halves[1].StartsWith("cgroup2 ", StringComparison.Ordinal))
        .Select(halves => halves[0].Split(' ')[4])
        .FirstOrDefault();

    /// <summary>Every cgroup hierarchy that is mounted, of either version.</summary>
    public static IReadOnlyList<string> CgroupMounts { get; } =
    [
        .. File.ReadLines("/proc/self/mountinfo")
            .Where(line => line.Contains(" - cgroup", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[4]),
    ];

    private static string? Probe(Needs need) => need switch
    {
        Needs.Root => Environment.IsPrivilegedProcess ? null : "not root",
        Needs.CgroupV2 => V2Controllers().IsSupersetOf(["cpu", "memory", "pids"]) ? null : "cpu, memory and pids are not on cgroup v2",
        Needs.CgroupV1 => CgroupV1Mount("memory") is null ? "the memory controller is not on cgroup v1" : null,
        Needs.Cpuset => CgroupV1Mount("cpuset") is null && !V2Controllers().Contains("cpuset") ? "no cpuset controller" : null,
        Needs.Overlay => File.ReadLines("/proc/filesystems").Any(line => line.EndsWith("\toverlay", StringComparison.Ordinal))
            ? null : "no overlayfs",
        Needs.SysResource => HasCapability(24) ? null : "no CAP_SYS_RESOURCE",
        Needs.AppArmor => Read("/sys/module/apparmor/parameters/enabled") == "Y" ? null : "AppArmor is off",
        Needs.Skopeo => HasProgram("skopeo"),
        Needs.Strace => HasProgram("strace"),
        Needs.Callers => Probe(Needs.Podman) ?? HasProgram("dockerd") ?? HasProgram("ctr"),
        Needs.Selinux => Read("/sys/fs/selinux/enforce") == "1" && File.ReadAllText("/proc/self/attr/current").StartsWith("system_u:system_r:kernel_t:", StringComparison.Ordinal)
            ? null : "SELinux is off, or has another policy than Security/selinux.cil",
        Needs.Podman => HasProgram("podman"),
        Needs.Links => HasProgram("ip"),
        Needs.LinkModules => Succeeds("unshare", "--net", "sh", "-c", "ip link add d type dummy && ip link add i link d type ipvlan")
            ? null : "the kernel has no dummy or no ipvlan links",
        Needs.Nftables => HasProgram("nft") ?? Probe(Needs.Links),
        Needs.Registry => HasProgram("docker-registry"),
        Needs.Dnsmasq => HasProgram("dnsmasq"),
        Needs.Iperf => HasProgram("iperf3"),
        Needs.Runc => HasProgram("runc"),
        Needs.Loop => File.Exists("/dev/loop-control") ? HasProgram("mkfs.ext4") : "no loop devices",
        Needs.Devices => HasCapability(27) ? null : "no CAP_MKNOD",
        Needs.Limits => CgroupV1Mount("memory") is null && !V2Controllers().Contains("memory") ? "no memory controller" : null,
        Needs.Swap => SwapIsCounted() ? null : "the memory controller does not count swap",
        Needs.TimeNamespace => Path.Exists(TimeNamespace) ? null : "no time namespaces",
        Needs.NoTimeNamespace => Path.Exists(TimeNamespace) ? "this kernel has time namespaces" : null,
        Needs.Criu => HasProgram("criu") ?? (Environment.OSVersion.Version > new Version(6, 2)
            ? "Debian 12's criu 3.17 does not know the vdso of kernels newer than Debian 12's" : null),
        Needs.Systemd => !Path.Exists("/run/systemd/private") ? "systemd does not run here" : Probe(Needs.CgroupV2),
        _ => $"unknown need {need}",
    };

    private static HashSet<string> V2Controllers() =>
        CgroupV2Mount is null ? [] : [.. (Read($"{CgroupV2Mount}/cgroup.controllers") ?? "").Split(' ')];

    private static bool SwapIsCounted() =>
        CgroupV1Mount("memory") is string v1
            ? File.Exists($"{v1}/memory.memsw.limit_in_bytes")
            // The root of v2 has no limits and may have no child yet: the kernel counts swap where it lists any (CONFIG_SWAP).
            : V2Controllers().Contains("memory") && File.Exists("/proc/swaps") && !(Read("/proc/cmdline") ?? "").Contains("swapaccount=0", StringComparison.Ordinal);

    private static bool HasCapability(int number) => (EffectiveCapabilities & (1UL << number)) != 0;

    private static string? HasProgram(string name) => FindProgram(name) is null ? $"{name} is not installed" : null;

    private static bool Succeeds(string program, params string[] arguments)
    {
        using HullProcess process = new(program, arguments, new Dictionary<string, string?>());
        return process.Finish().ExitCode == 0;
    }

    private static string? Read(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : null;

    /// <summary>The most resident memory that a process has had; 0 where it has ended.</summary>
    public static long PeakKilobytes(int pid)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line["VmHWM:".Length..^"kB".Length], null);
        }
        catch (IOException)
        {
            // Ended between the look and the read.
            return 0;
        }
    }
}
