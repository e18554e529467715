namespace Hull.Linux.Cgroups;

/// <summary>How a host mounts its cgroups.</summary>
public enum CgroupLayout
{
    /// <summary>No cgroup file system is mounted.</summary>
    None,

    /// <summary>Pure v2: one tree at /sys/fs/cgroup.</summary>
    Unified,

    /// <summary>Controllers on v1, and a v2 tree beside them (usually /sys/fs/cgroup/unified).</summary>
    Hybrid,

    /// <summary>Pure v1.</summary>
    Legacy,
}
