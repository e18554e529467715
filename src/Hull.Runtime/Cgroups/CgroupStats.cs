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

    // What follows is read by ContainerCgroup.DetailedStats alone.

    /// <summary>Periods of the quota since the cgroup was made.</summary>
    public ulong? CpuPeriods { get; init; }

    /// <summary>Nanoseconds on each processor; v1 alone counts them.</summary>
    public IReadOnlyList<ulong>? CpuPerProcessor { get; init; }

    /// <summary>The most bytes that were in use; on v2 since Linux 5.19.</summary>
    public ulong? MemoryPeak { get; init; }

    /// <summary>How often the limit was hit; v1 alone counts it.</summary>
    public ulong? MemoryFailures { get; init; }

    /// <summary>memory.stat as it is.</summary>
    public IReadOnlyDictionary<string, ulong>? MemoryCounts { get; init; }

    /// <summary>Bytes of memory and swap together, as v1 counts; null where swap is not counted.</summary>
    public ulong? SwapUsage { get; init; }

    /// <summary>Null where unlimited.</summary>
    public ulong? SwapLimit { get; init; }

    /// <summary>Bytes that the kernel uses for the container; within <see cref="MemoryUsage"/>.</summary>
    public ulong? KernelUsage { get; init; }

    /// <summary>Memory of TCP buffers, which v1 alone counts apart.</summary>
    public MemoryUse? KernelTcp { get; init; }

    /// <summary>Where the processes may run; null where the host has no cpuset controller.</summary>
    public CpusetStats? Cpuset { get; init; }

    /// <summary>Bytes a device and direction.</summary>
    public IReadOnlyList<BlockCount> BlockBytes { get; init; } = [];

    /// <summary>Requests a device and direction.</summary>
    public IReadOnlyList<BlockCount> BlockRequests { get; init; } = [];

    /// <summary>Huge pages by their size, <c>2MB</c>: bytes in use, the most that were, how often the limit was hit.</summary>
    public IReadOnlyDictionary<string, (ulong Usage, ulong Peak, ulong Failures)>? HugePages { get; init; }
}
