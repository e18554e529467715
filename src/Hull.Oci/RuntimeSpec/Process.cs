namespace Hull.Oci.RuntimeSpec;

/// <summary>The payload: what is executed, as whom, with which rights.</summary>
public sealed record Process
{
    public bool? Terminal { get; init; }
    public ConsoleSize? ConsoleSize { get; init; }
    public required string Cwd { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public IReadOnlyList<string>? Args { get; init; }
    public IReadOnlyList<Rlimit>? Rlimits { get; init; }
    public string? ApparmorProfile { get; init; }
    public Capabilities? Capabilities { get; init; }
    public bool? NoNewPrivileges { get; init; }
    /// <summary>-1000 to 1000.</summary>
    public int? OomScoreAdj { get; init; }
    public string? SelinuxLabel { get; init; }
    public User? User { get; init; }
    public Scheduler? Scheduler { get; init; }
    public IoPriority? IoPriority { get; init; }
    public CpuAffinity? ExecCPUAffinity { get; init; }
}

/// <summary>Rows and columns of a terminal.</summary>
public sealed record ConsoleSize
{
    public required ushort Height { get; init; }
    public required ushort Width { get; init; }
}

public sealed record User
{
    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public uint? Umask { get; init; }
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
    public string? Username { get; init; }
}

/// <summary>The five sets of capabilities(7), each a list of names such as <c>CAP_CHOWN</c>.</summary>
public sealed record Capabilities
{
    public IReadOnlyList<string>? Bounding { get; init; }
    public IReadOnlyList<string>? Permitted { get; init; }
    public IReadOnlyList<string>? Effective { get; init; }
    public IReadOnlyList<string>? Inheritable { get; init; }
    public IReadOnlyList<string>? Ambient { get; init; }
}

/// <summary>One resource limit, setrlimit(2); the unit is the resource's own.</summary>
public sealed record Rlimit
{
    /// <summary><c>RLIMIT_NOFILE</c> and so on.</summary>
    public required string Type { get; init; }
    public required ulong Soft { get; init; }
    public required ulong Hard { get; init; }
}

public sealed record Scheduler
{
    public required string Policy { get; init; }
    public int? Nice { get; init; }
    public int? Priority { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
    public ulong? Runtime { get; init; }
    public ulong? Deadline { get; init; }
    public ulong? Period { get; init; }
}

public sealed record IoPriority
{
    public required string Class { get; init; }
    public int? Priority { get; init; }
}

public sealed record CpuAffinity
{
    public string? Initial { get; init; }
    public string? Final { get; init; }
}
