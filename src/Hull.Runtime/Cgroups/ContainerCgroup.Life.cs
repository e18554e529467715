using System.Diagnostics;
using System.Globalization;
using Hull.Linux;
using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>The processes of a cgroup: freezing, killing, listing, counting.</summary>
public sealed partial class ContainerCgroup
{
    private const int SigKill = 9;

    private static readonly TimeSpan FreezeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Whether <see cref="Freeze"/> is in force.</summary>
    public bool IsFrozen => Unified is { } unified
        ? unified.TryRead("cgroup.freeze", out _) == "1"
        : In("freezer")?.TryRead("freezer.state", out _) is "FROZEN" or "FREEZING";

    /// <summary>The directory whose freezer file holds the container; null where this host has no freezer.</summary>
    public string? FreezerDirectory => (Unified ?? In("freezer"))?.FullPath;

    /// <summary>The memory limit in bytes, null where there is none.</summary>
    public ulong? MemoryLimit
    {
        get
        {
            return In("memory") is not { } memory ? null : Limited(memory.ReadNumber(memory.Hierarchy.IsUnified ? "memory.max" : "memory.limit_in_bytes"));
        }
    }

    /// <summary>The memory limit in words for a person, <c>memory limit 64 MiB</c>; null where there is none.</summary>
    public string? MemoryLimitText => MemoryLimit is { } limit ? $"memory limit {InWords(limit)}" : null;

    /// <summary>Stops every process where it is and waits until all have stopped.</summary>
    /// <exception cref="CgroupException">No freezer on this host, or a process does not stop within 10 seconds (it sits in an
    /// uninterruptible wait); the container then runs on.</exception>
    public void Freeze()
    {
        SetFrozen(true);
        Stopwatch clock = Stopwatch.StartNew();
        while (!HasFrozen())
        {
            if (clock.Elapsed > FreezeLimit)
            {
                SetFrozen(false);
                throw new CgroupException(
                    $"cannot freeze cgroup {Path}: a process did not stop within {FreezeLimit.TotalSeconds} seconds "
                    + $"(see /proc/PID/stack of {string.Join(' ', Processes().Take(10))})");
            }

            Thread.Sleep(1);
            if (Unified is null)
            {
                // A v1 freezer that met a fork tries again only when written to.
                SetFrozen(true);
            }
        }
    }

    /// <summary>Lets them go on.</summary>
    public void Thaw() => SetFrozen(false);

    /// <summary>Sends SIGKILL to every process in the cgroup and in those below it, in one stroke where the kernel has
    /// cgroup.kill (Linux 5.14). They end soon after; <see cref="Delete"/> waits for it.</summary>
    public void Kill()
    {
        if (Unified is { } unified)
        {
            Errno errno = unified.TryWrite("cgroup.kill", "1");
            if (errno == Errno.None)
            {
                ThawLegacy();
                return;
            }

            if (errno is not (Errno.ENOENT or Errno.EOPNOTSUPP))
            {
                throw new CgroupException(
                    $"cannot kill cgroup {Path}: " + new SyscallException("write", $"{unified.FullPath}/cgroup.kill", errno, "value=1").Message);
            }
        }

        // Frozen, nothing forks away between the list and the signal. Without a freezer: again until none is left.
        bool frozen = TrySetFrozen(true) == Errno.None;
        for (int round = 0; round < 100; round++)
        {
            IReadOnlyList<int> processes = Processes();
            foreach (int process in processes)
            {
                Hull.Linux.Processes.Kill(process, SigKill);
            }

            if (processes.Count == 0 || (frozen && HasFrozen()))
            {
                break;
            }

            Thread.Sleep(1);
        }

        TrySetFrozen(false);
    }

    /// <summary>Every process in the cgroup and in those below it, in the caller's pid namespace.</summary>
    public IReadOnlyList<int> Processes()
    {
        // Any one tree has them all; the unified one is what killing and freezing go by.
        CgroupDirectory directory = Unified ?? In("freezer") ?? _directories[0];
        List<int> processes = [];
        Collect(directory, processes);
        return processes;
    }

    /// <summary>How often the kernel killed a process of this container for memory since the cgroup was made.</summary>
    public ulong OomKills() => In("memory") is { } memory ? OomWatch.CountKills(memory) : 0;

    /// <summary>Watches for such kills; null where the host has no memory controller.</summary>
    public OomWatch? WatchOom() =>
        In("memory") is { } memory ? OomWatch.Open(memory.Hierarchy.Directory(memory.Path)) : null;

    /// <summary>What the container uses now.</summary>
    public CgroupStats Stats()
    {
        CgroupStats stats = new() { MemoryLimit = MemoryLimit };
        if (In("memory") is { } memory)
        {
            bool unified = memory.Hierarchy.IsUnified;
            stats = stats with
            {
                MemoryUsage = memory.ReadNumber(unified ? "memory.current" : "memory.usage_in_bytes"),
                MemoryInactiveFile = memory.ReadKey("memory.stat", unified ? "inactive_file" : "total_inactive_file"),
            };
        }

        if (In("pids") is { } pids)
        {
            stats = stats with { Pids = pids.ReadNumber("pids.current"), PidsLimit = pids.ReadNumber("pids.max") };
        }

        return WithBlockIo(WithCpu(stats));
    }

    private CgroupStats WithCpu(CgroupStats stats)
    {
        // cpu.stat of the unified tree counts even where the cpu controller is not enabled (Linux 4.15).
        if (In("cpuacct") is { } account)
        {
            stats = stats with
            {
                CpuNanoseconds = account.ReadNumber("cpuacct.usage"),
                CpuUserNanoseconds = account.ReadNumber("cpuacct.usage_user"),
                CpuSystemNanoseconds = account.ReadNumber("cpuacct.usage_sys"),
            };
            return In("cpu") is not { } legacy ? stats : stats with
            {
                CpuThrottledPeriods = legacy.ReadKey("cpu.stat", "nr_throttled"),
                CpuThrottledNanoseconds = legacy.ReadKey("cpu.stat", "throttled_time"),
            };
        }

        return Unified is not { } unified ? stats : stats with
        {
            CpuNanoseconds = 1000 * unified.ReadKey("cpu.stat", "usage_usec"),
            CpuUserNanoseconds = 1000 * unified.ReadKey("cpu.stat", "user_usec"),
            CpuSystemNanoseconds = 1000 * unified.ReadKey("cpu.stat", "system_usec"),
            CpuThrottledPeriods = unified.ReadKey("cpu.stat", "nr_throttled"),
            CpuThrottledNanoseconds = 1000 * unified.ReadKey("cpu.stat", "throttled_usec"),
        };
    }

    private CgroupStats WithBlockIo(CgroupStats stats)
    {
        if (In("io")?.TryRead("io.stat", out _) is { } text)
        {
            // 8:0 rbytes=4096 wbytes=0 rios=1 …
            return stats with { BlockRead = Sum(text, "rbytes="), BlockWritten = Sum(text, "wbytes=") };
        }

        if (In("blkio")?.TryRead("blkio.throttle.io_service_bytes_recursive", out _) is { } legacy)
        {
            // 8:0 Read 4096
            return stats with { BlockRead = Sum(legacy, "Read "), BlockWritten = Sum(legacy, "Write ") };
        }

        return stats;
    }

    /// <summary>Bytes in the largest unit that does not hide what was asked for: <c>64 MiB</c>, <c>1.5 GiB</c>, <c>1000 B</c>.</summary>
    internal static string InWords(ulong bytes)
    {
        (string Unit, ulong Size)[] units = [("GiB", 1UL << 30), ("MiB", 1UL << 20), ("KiB", 1UL << 10)];
        foreach ((string unit, ulong size) in units)
        {
            if (bytes >= size && bytes % (size / 4) == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / size:0.##} {unit}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
    }

    private static ulong Sum(string text, string key)
    {
        ulong sum = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int at = line.IndexOf(key, StringComparison.Ordinal);
            if (at < 0)
            {
                continue;
            }

            ReadOnlySpan<char> rest = line[(at + key.Length)..];
            int end = rest.IndexOf(' ');
            if (ulong.TryParse(end < 0 ? rest : rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            {
                sum += value;
            }
        }

        return sum;
    }

    private static void Collect(CgroupDirectory directory, List<int> processes)
    {
        processes.AddRange(directory.Processes());
        foreach (CgroupDirectory child in directory.Children())
        {
            using (child)
            {
                Collect(child, processes);
            }
        }
    }

    private bool HasFrozen() => Unified is { } unified
        ? unified.ReadKey("cgroup.events", "frozen") == 1
        : In("freezer")?.TryRead("freezer.state", out _) == "FROZEN";

    private void SetFrozen(bool frozen)
    {
        Errno errno = TrySetFrozen(frozen);
        if (errno != Errno.None)
        {
            string hint = errno == Errno.ENOENT ? "freezing needs cgroup v2 of Linux 5.2 or the freezer controller on v1" : errno.Text();
            throw new CgroupException($"cannot {(frozen ? "freeze" : "thaw")} cgroup {Path}: {errno.Name()} ({hint})");
        }
    }

    private Errno TrySetFrozen(bool frozen)
    {
        if (Unified is { } unified)
        {
            return unified.TryWrite("cgroup.freeze", frozen ? "1" : "0");
        }

        return In("freezer")?.TryWrite("freezer.state", frozen ? "FROZEN" : "THAWED") ?? Errno.ENOENT;
    }

    /// <summary>A process frozen through v1's freezer by another tool cannot die of cgroup.kill.</summary>
    private void ThawLegacy()
    {
        if (_host.Layout == CgroupLayout.Hybrid)
        {
            // ENOENT: the freezer controller is not on this host.
            In("freezer")?.TryWrite("freezer.state", "THAWED");
        }
    }
}
