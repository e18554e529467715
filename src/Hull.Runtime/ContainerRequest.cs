using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>Everything a start needs, resolved: the launcher reads no store and decides no default.</summary>
public sealed record ContainerRequest
{
    public required string Id { get; init; }

    public required Spec Spec { get; init; }

    /// <summary>Absolute directory that relative paths of the spec are relative to; an overlay root is attached over it
    /// inside the container's mount namespace.</summary>
    public required string Bundle { get; init; }

    public required RootfsSource Rootfs { get; init; }

    /// <summary>The container's cgroup v2 directory: the child is born in it (CLONE_INTO_CGROUP, Linux 5.7). Null on hosts
    /// where the controllers are on v1.</summary>
    public SafeFileHandle? CloneIntoCgroup { get; init; }

    /// <summary>Files of the v1 hierarchies through which the child moves itself into its cgroups, by writing 0 to each.</summary>
    public IReadOnlyList<SafeFileHandle> SelfAttach { get; init; } = [];

    /// <summary>What a cgroup mount of the spec shows; null asks the host.</summary>
    public CgroupHost? CgroupHost { get; init; }

    /// <summary>The container's cgroup, below each hierarchy's mount point; what a container in the host's cgroup namespace sees
    /// of a v1 hierarchy.</summary>
    public string? CgroupPath { get; init; }

    /// <summary>The payload's standard streams; the caller keeps ownership. Ignored with a terminal.</summary>
    public StandardStreams? Streams { get; init; }

    /// <summary>A unix socket on which the terminal's master is sent away (OCI --console-socket) instead of being
    /// returned in <see cref="RunningContainer.Terminal"/>.</summary>
    public SafeFileHandle? ConsoleSocket { get; init; }

    /// <summary>A FIFO, open for both directions, from which the child reads its start where the starter is another process
    /// (OCI create and start). Null: <see cref="RunningContainer.Start"/> starts.</summary>
    public SafeFileHandle? StartGate { get; init; }

    /// <summary>With <see cref="StartGate"/>: a FIFO, open for both directions, on which the process that starts the container is
    /// told what goes wrong then. Null: <see cref="RunningContainer.Start"/> throws it.</summary>
    public SafeFileHandle? StartReport { get; init; }

    /// <summary>Called with the child's process id when it is born: work that goes on beside the child's.</summary>
    public Action<int>? Born { get; init; }

    /// <summary>PID 1 is hull's own reaper, which forwards signals, and the payload is its child (docker's --init).</summary>
    public bool Init { get; init; }

    /// <summary>The kernel kills the payload when the caller's thread ends (PR_SET_PDEATHSIG).</summary>
    public bool DieWithParent { get; init; }

    /// <summary>Looks the user up in the rootfs, given as an open directory; null takes the spec's numbers.</summary>
    public Func<SafeFileHandle, ResolvedUser>? ResolveUser { get; init; }

    /// <summary>The filter where it is compiled already; null compiles the spec's.</summary>
    public SeccompFilter? Filter { get; init; }

    /// <summary>The payload keeps the session keyring of the caller (runc --no-new-keyring) instead of getting its own.</summary>
    public bool CallersKeyring { get; init; }

    /// <summary>Descriptors 3 … 2+N are passed on to the payload (runc --preserve-fds).</summary>
    public int PreserveFds { get; init; }

    /// <summary>What hooks and a seccomp listener are told of the container.</summary>
    internal State StateOf(string status, int pid) => new()
    {
        OciVersion = Spec.OciVersion,
        Id = Id,
        Status = status,
        Pid = pid,
        Bundle = Bundle,
        Annotations = Spec.Annotations,
    };
}

/// <summary>Three descriptors that become 0, 1 and 2 of a payload.</summary>
public sealed record StandardStreams(SafeFileHandle Input, SafeFileHandle Output, SafeFileHandle Error);
