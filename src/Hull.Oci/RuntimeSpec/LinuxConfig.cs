namespace Hull.Oci.RuntimeSpec;

/// <summary>The Linux part of a spec (config-linux.md).</summary>
public sealed record LinuxConfig
{
    public IReadOnlyList<LinuxDevice>? Devices { get; init; }
    public IReadOnlyList<IdMapping>? UidMappings { get; init; }
    public IReadOnlyList<IdMapping>? GidMappings { get; init; }
    public IReadOnlyList<Namespace>? Namespaces { get; init; }
    public LinuxResources? Resources { get; init; }
    /// <summary>Path of the cgroup below each hierarchy's root, or <c>slice:prefix:name</c> for systemd.</summary>
    public string? CgroupsPath { get; init; }
    /// <summary><c>shared</c>, <c>slave</c>, <c>private</c> or <c>unbindable</c>, each with an optional leading r.</summary>
    public string? RootfsPropagation { get; init; }
    public Seccomp? Seccomp { get; init; }
    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }
    public IReadOnlyList<string>? MaskedPaths { get; init; }
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }
    public string? MountLabel { get; init; }
    public Personality? Personality { get; init; }
    public IReadOnlyDictionary<string, TimeOffset>? TimeOffsets { get; init; }
}

/// <summary>A namespace to make, or with <see cref="Path"/> to join.</summary>
public sealed record Namespace
{
    /// <summary><c>pid network mount ipc uts user cgroup time</c>.</summary>
    public required string Type { get; init; }
    public string? Path { get; init; }
}

/// <summary>One line of a uid_map or gid_map, user_namespaces(7).</summary>
public sealed record IdMapping
{
    public required uint ContainerID { get; init; }
    public required uint HostID { get; init; }
    public required uint Size { get; init; }
}

public sealed record LinuxDevice
{
    /// <summary><c>c b u p</c>.</summary>
    public required string Type { get; init; }
    public required string Path { get; init; }
    public long? Major { get; init; }
    public long? Minor { get; init; }
    /// <summary>Permission bits; 0666 where absent.</summary>
    public uint? FileMode { get; init; }
    public uint? Uid { get; init; }
    public uint? Gid { get; init; }
}

public sealed record Personality
{
    public required string Domain { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
}

/// <summary>Offset of a clock in a time namespace, time_namespaces(7).</summary>
public sealed record TimeOffset
{
    public long Secs { get; init; }
    public uint Nanosecs { get; init; }
}
