namespace Hull.Runtime.Cgroups;

/// <summary>What a container uses now; null where the host has no such controller.</summary>
public sealed record CgroupStats
{
    /// <summary>Bytes, the page cache included.</summary>
    public ulong? MemoryUsage { get; init; }

    /// <summary>Bytes of page cache that the kernel would drop first (inactive_file); <c>docker stats</c> subtracts it.</summary>
    public ulong? MemoryInactiveFile { get; init; }

    /// <summary>Bytes; null where unlimited.</summary>
    public ulong? MemoryLimit { get; init; }

    /// <summary>Processor time since the cgroup was made, nanoseconds.</summary>
    public ulong? CpuNanoseconds { get; init; }

    public ulong? CpuUserNanoseconds { get; init; }

    public ulong? CpuSystemNanoseconds { get; init; }

    /// <summary>Periods in which the quota ran out, and the time lost by it, nanoseconds.</summary>
    public ulong? CpuThrottledPeriods { get; init; }

    public ulong? CpuThrottledNanoseconds { get; init; }

    /// <summary>Processes and threads.</summary>
    public ulong? Pids { get; init; }

    /// <summary>Null where unlimited.</summary>
    public ulong? PidsLimit { get; init; }

    /// <summary>Bytes moved to and from block devices.</summary>
    public ulong? BlockRead { get; init; }

    public ulong? BlockWritten { get; init; }
}
