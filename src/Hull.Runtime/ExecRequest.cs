using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>A further process for a running container.</summary>
public sealed record ExecRequest
{
    /// <summary>The container's first process: its namespaces are joined.</summary>
    public required SafeFileHandle InitPidFd { get; init; }

    /// <summary>Its process id, for /proc/PID/root, while the pidfd shows that it lives.</summary>
    public required int InitPid { get; init; }

    /// <summary>The container's id, by which its session keyring is found; null makes one for this process alone.</summary>
    public string? Id { get; init; }

    /// <summary>See <see cref="ContainerRequest.CallersKeyring"/>: as the container was made.</summary>
    public bool CallersKeyring { get; init; }

    /// <summary>The container's state, for a seccomp listener.</summary>
    public required State Container { get; init; }

    public required Process Process { get; init; }

    /// <summary>The spec's linux.personality.</summary>
    public Personality? Personality { get; init; }

    /// <summary>The container has a user namespace of its own.</summary>
    public bool UserNamespace { get; init; }

    /// <summary>Docker and runc let exec share what the container has: its cgroup, v2 directory or v1 files.</summary>
    public SafeFileHandle? CloneIntoCgroup { get; init; }

    /// <summary>Opens the cgroup v2 directory in which the container's first process is, for a container that has moved out of
    /// <see cref="CloneIntoCgroup"/> and lets nobody in there. Null: that is an error.</summary>
    public Func<SafeFileHandle>? InitCgroup { get; init; }

    public IReadOnlyList<SafeFileHandle> SelfAttach { get; init; } = [];

    public StandardStreams? Streams { get; init; }

    public SafeFileHandle? ConsoleSocket { get; init; }

    public Func<SafeFileHandle, ResolvedUser>? ResolveUser { get; init; }

    public SeccompFilter? Filter { get; init; }

    public bool DieWithParent { get; init; }

    public int PreserveFds { get; init; }
}
