using System.Globalization;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>What a change of limits leaves unsaid and the kernel holds together with what is said: a quota and its period, memory
/// and swap. It stays as it is.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>The change with what it leaves unsaid.</summary>
    /// <exception cref="CgroupException">They do not go together.</exception>
    internal LinuxResources WithCurrent(LinuxResources wanted) => wanted with
    {
        Memory = wanted.Memory is { } memory ? WithCurrent(memory) : null,
        Cpu = wanted.Cpu is { } cpu ? WithCurrent(cpu) : null,
    };

    private MemoryResources WithCurrent(MemoryResources wanted)
    {
        if (wanted is { Swap: > 0, Limit: null or 0 } && MemoryLimit is { } current)
        {
            return wanted with { Limit = (long)current };
        }

        // On v1 the second limit counts both, so it stands in the way of the first; on v2 swap has a limit of its own.
        if (wanted is { Limit: { } limit and > 0, Swap: null or 0 } && In("memory") is { Hierarchy.IsUnified: false } legacy
            && Limited(legacy.ReadNumber("memory.memsw.limit_in_bytes")) is { } both)
        {
            return wanted with
            {
                Swap = (long)both >= limit ? (long)both : throw new CgroupException(
                    $"{CgroupPlan.MemoryLimit} {limit}: memory and swap together are limited to {both}: give a new --memory-swap as well"),
            };
        }

        return wanted;
    }

    private CpuResources WithCurrent(CpuResources wanted)
    {
        (long quota, ulong period, ulong burst) = (wanted.Quota ?? 0, wanted.Period ?? 0, wanted.Burst ?? 0);
        if ((quota == 0 && period == 0 && burst == 0) || In("cpu") is not { } cpu)
        {
            return wanted;
        }

        (long Quota, ulong? Period, ulong Burst) current = cpu.Hierarchy.IsUnified ? UnifiedQuota(cpu)
            : ((long?)cpu.ReadNumber("cpu.cfs_quota_us") ?? -1, cpu.ReadNumber("cpu.cfs_period_us"), cpu.ReadNumber("cpu.cfs_burst_us") ?? 0);
        long kept = quota == 0 ? current.Quota : quota;
        return wanted with
        {
            Quota = kept,
            Period = period == 0 ? current.Period : period,
            // The kernel takes no burst above the quota (Linux 5.14).
            Burst = burst == 0 && kept > 0 ? Math.Min(current.Burst, (ulong)kept) : burst,
        };
    }

    /// <summary>cpu.max: <c>max 100000</c> or <c>50000 100000</c>.</summary>
    private static (long Quota, ulong? Period, ulong Burst) UnifiedQuota(CgroupDirectory cpu)
    {
        string[] words = (cpu.TryRead("cpu.max", out _) ?? "max").Split(' ');
        return (
            long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long quota) ? quota : -1,
            words.Length > 1 && ulong.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong period) ? period : null,
            cpu.ReadNumber("cpu.max.burst") ?? 0);
    }

    /// <summary>v1 has no word for unlimited: the largest page count that fits, in bytes (PAGE_COUNTER_MAX).</summary>
    private static ulong? Limited(ulong? bytes) => bytes >= long.MaxValue - 0xffff ? null : bytes;
}
