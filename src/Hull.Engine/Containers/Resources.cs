using System.Text.Json.Serialization;

namespace Hull.Engine.Containers;

/// <summary>Limits of the container's cgroup. 0 and null mean "not asked for", as on Docker's wire.</summary>
public sealed record Resources
{
    /// <summary>Bytes; at least 6 MiB.</summary>
    public long Memory { get; init; }
    /// <summary>Bytes; a soft limit below <see cref="Memory"/>.</summary>
    public long MemoryReservation { get; init; }
    /// <summary>Bytes of memory and swap together; -1 for unlimited swap; 0: as much swap as memory.</summary>
    public long MemorySwap { get; init; }
    /// <summary>0 to 100; null or -1: the kernel's default.</summary>
    public long? MemorySwappiness { get; init; }
    public bool OomKillDisable { get; init; }
    /// <summary>Billionths of a processor (--cpus).</summary>
    public long NanoCpus { get; init; }
    /// <summary>Relative weight, 2 to 262144; 1024 is the usual.</summary>
    public long CpuShares { get; init; }
    /// <summary>Microseconds, 1000 to 1000000.</summary>
    public long CpuPeriod { get; init; }
    /// <summary>Microseconds a period, at least 1000; -1 for unlimited.</summary>
    public long CpuQuota { get; init; }
    public long CpuRealtimePeriod { get; init; }
    public long CpuRealtimeRuntime { get; init; }
    /// <summary><c>0-3,5</c>.</summary>
    public string? CpusetCpus { get; init; }
    public string? CpusetMems { get; init; }
    /// <summary>0 and negative: unlimited.</summary>
    public long PidsLimit { get; init; }
    /// <summary>10 to 1000.</summary>
    public int BlkioWeight { get; init; }
    public IReadOnlyList<DeviceRate>? BlkioWeightDevice { get; init; }
    public IReadOnlyList<DeviceRate>? DeviceReadBps { get; init; }
    public IReadOnlyList<DeviceRate>? DeviceWriteBps { get; init; }
    public IReadOnlyList<DeviceRate>? DeviceReadIops { get; init; }
    public IReadOnlyList<DeviceRate>? DeviceWriteIops { get; init; }
}

/// <summary>A rate, or a weight, of one block device named by its path.</summary>
public sealed record DeviceRate
{
    public required string Path { get; init; }
    /// <summary>Bytes or operations a second; for weights 10 to 1000.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long Rate { get; init; }
}
