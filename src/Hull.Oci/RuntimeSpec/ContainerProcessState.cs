namespace Hull.Oci.RuntimeSpec;

/// <summary>What a seccomp listener is told beside the descriptor it gets (config-linux.md, "The Container Process State").</summary>
public sealed record ContainerProcessState
{
    public required string OciVersion { get; init; }

    /// <summary>The names of the descriptors that come along, in their order.</summary>
    public required IReadOnlyList<string> Fds { get; init; }

    /// <summary>The process that has the filter, in the runtime's pid namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>The profile's <c>listenerMetadata</c>.</summary>
    public string? Metadata { get; init; }

    /// <summary>The container's.</summary>
    public required State State { get; init; }
}
