namespace Hull.Oci.RuntimeSpec;

/// <summary>Limits of a container's cgroup. A negative number means unlimited where the spec says so.</summary>
public sealed record LinuxResources
{
    public IReadOnlyList<DeviceRule>? Devices { get; init; }
    public MemoryResources? Memory { get; init; }
    public CpuResources? Cpu { get; init; }
    public PidsResources? Pids { get; init; }
    public BlockIoResources? BlockIO { get; init; }
    public IReadOnlyList<HugepageLimit>? HugepageLimits { get; init; }
    public NetworkResources? Network { get; init; }
    public IReadOnlyDictionary<string, RdmaLimit>? Rdma { get; init; }
    /// <summary>cgroup v2 files by name, written as they are.</summary>
    public IReadOnlyDictionary<string, string>? Unified { get; init; }
}

/// <summary>One rule of the device controller; later rules win.</summary>
public sealed record DeviceRule
{
    public required bool Allow { get; init; }
    /// <summary><c>a b c</c>; absent means a.</summary>
    public string? Type { get; init; }
    /// <summary>Absent or negative: every number.</summary>
    public long? Major { get; init; }
    public long? Minor { get; init; }
    /// <summary>Any of <c>r w m</c>.</summary>
    public string? Access { get; init; }
}

/// <summary>Bytes, but for <see cref="Swappiness"/>.</summary>
public sealed record MemoryResources
{
    public long? Limit { get; init; }
    public long? Reservation { get; init; }
    /// <summary>Memory and swap together, as on cgroup v1.</summary>
    public long? Swap { get; init; }
    public long? Kernel { get; init; }
    public long? KernelTCP { get; init; }
    /// <summary>0 to 100; cgroup v1 only.</summary>
    public ulong? Swappiness { get; init; }
    public bool? DisableOOMKiller { get; init; }
    public bool? UseHierarchy { get; init; }
    public bool? CheckBeforeUpdate { get; init; }
}

public sealed record CpuResources
{
    /// <summary>Weight, 2 to 262144.</summary>
    public ulong? Shares { get; init; }
    /// <summary>Microseconds of processor time a period.</summary>
    public long? Quota { get; init; }
    public ulong? Burst { get; init; }
    /// <summary>Microseconds, 1000 to 1000000.</summary>
    public ulong? Period { get; init; }
    public long? RealtimeRuntime { get; init; }
    public ulong? RealtimePeriod { get; init; }
    public string? Cpus { get; init; }
    public string? Mems { get; init; }
    public long? Idle { get; init; }
}

public sealed record PidsResources
{
    public required long Limit { get; init; }
}

public sealed record BlockIoResources
{
    /// <summary>10 to 1000.</summary>
    public ushort? Weight { get; init; }
    public ushort? LeafWeight { get; init; }
    public IReadOnlyList<WeightDevice>? WeightDevice { get; init; }
    /// <summary>Bytes a second.</summary>
    public IReadOnlyList<ThrottleDevice>? ThrottleReadBpsDevice { get; init; }
    public IReadOnlyList<ThrottleDevice>? ThrottleWriteBpsDevice { get; init; }
    public IReadOnlyList<ThrottleDevice>? ThrottleReadIOPSDevice { get; init; }
    public IReadOnlyList<ThrottleDevice>? ThrottleWriteIOPSDevice { get; init; }
}

public sealed record WeightDevice
{
    public required long Major { get; init; }
    public required long Minor { get; init; }
    public ushort? Weight { get; init; }
    public ushort? LeafWeight { get; init; }
}

public sealed record ThrottleDevice
{
    public required long Major { get; init; }
    public required long Minor { get; init; }
    public required ulong Rate { get; init; }
}

public sealed record HugepageLimit
{
    /// <summary><c>2MB</c>, <c>1GB</c>.</summary>
    public required string PageSize { get; init; }
    public required ulong Limit { get; init; }
}

public sealed record NetworkResources
{
    public uint? ClassID { get; init; }
    public IReadOnlyList<InterfacePriority>? Priorities { get; init; }
}

public sealed record InterfacePriority
{
    public required string Name { get; init; }
    public required uint Priority { get; init; }
}

public sealed record RdmaLimit
{
    public uint? HcaHandles { get; init; }
    public uint? HcaObjects { get; init; }
}
