using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>Everything a start needs, resolved: the launcher reads no store and decides no default.</summary>
public sealed record ContainerRequest
{
    public required string Id { get; init; }

    public required Spec Spec { get; init; }

    /// <summary>Absolute directory that relative paths of the spec are relative to; the root is attached over it inside
    /// the container's mount namespace, so it must be a directory.</summary>
    public required string Bundle { get; init; }

    public required RootfsSource Rootfs { get; init; }

    /// <summary>The container's cgroup v2 directory: the child is born in it (CLONE_INTO_CGROUP, Linux 5.7). Null on hosts
    /// where the controllers are on v1.</summary>
    public SafeFileHandle? CloneIntoCgroup { get; init; }

    /// <summary>Moves the child, by its process id, into its cgroups. Called right after the clone: on v1 the kernel's
    /// wait for each hierarchy then overlaps with the child's mounts.</summary>
    public Action<int>? AttachCgroup { get; init; }

    /// <summary>The payload's standard streams; the caller keeps ownership. Ignored with a terminal.</summary>
    public StandardStreams? Streams { get; init; }

    /// <summary>A unix socket on which the terminal's master is sent away (OCI --console-socket) instead of being
    /// returned in <see cref="RunningContainer.Terminal"/>.</summary>
    public SafeFileHandle? ConsoleSocket { get; init; }

    /// <summary>PID 1 is hull's own reaper, which forwards signals, and the payload is its child (docker's --init).</summary>
    public bool Init { get; init; }

    /// <summary>The kernel kills the payload when the caller's thread ends (PR_SET_PDEATHSIG).</summary>
    public bool DieWithParent { get; init; }

    /// <summary>User and groups as the command line words them, looked up in the rootfs; null takes the spec's numbers.</summary>
    public string? UserSpec { get; init; }

    /// <summary>Further groups by name or number, looked up in the rootfs.</summary>
    public IReadOnlyList<string> GroupAdd { get; init; } = [];

    /// <summary>Descriptors 3 … 2+N are passed on to the payload (runc --preserve-fds).</summary>
    public int PreserveFds { get; init; }
}

/// <summary>Three descriptors that become 0, 1 and 2 of a payload.</summary>
public sealed record StandardStreams(SafeFileHandle Input, SafeFileHandle Output, SafeFileHandle Error);
