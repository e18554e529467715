namespace Hull.Oci.RuntimeSpec;

/// <summary>A seccomp filter as the runtime-spec words it.</summary>
public sealed record Seccomp
{
    public required string DefaultAction { get; init; }
    public uint? DefaultErrnoRet { get; init; }
    public IReadOnlyList<string>? Architectures { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
    public string? ListenerPath { get; init; }
    public string? ListenerMetadata { get; init; }
    public IReadOnlyList<SeccompRule>? Syscalls { get; init; }
}

public sealed record SeccompRule
{
    public required IReadOnlyList<string> Names { get; init; }
    public required string Action { get; init; }
    public uint? ErrnoRet { get; init; }
    public IReadOnlyList<SeccompArgument>? Args { get; init; }
}

/// <summary>A condition on one argument; every condition of a rule must hold.</summary>
public sealed record SeccompArgument
{
    /// <summary>0 to 5.</summary>
    public required uint Index { get; init; }
    public required ulong Value { get; init; }
    public ulong? ValueTwo { get; init; }
    /// <summary><c>SCMP_CMP_EQ</c> and its like.</summary>
    public required string Op { get; init; }
}
