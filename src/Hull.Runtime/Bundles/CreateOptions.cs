using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>What <c>create</c> and <c>run</c> are told beside the bundle.</summary>
public sealed record CreateOptions
{
    public required string Id { get; init; }

    /// <summary>Absolute.</summary>
    public required string Bundle { get; init; }
    public string? PidFile { get; init; }
    public SafeFileHandle? ConsoleSocket { get; init; }

    /// <summary>A unix socket that gets a pidfd of the first process before it starts.</summary>
    public SafeFileHandle? PidFdSocket { get; init; }

    /// <summary>Descriptors 3 … 2+N are passed on to the payload.</summary>
    public int PreserveFds { get; init; }

    /// <summary>So many of them are sockets of a service manager; the payload is told as sd_listen_fds(3) expects.</summary>
    public int ActivatedFds { get; init; }

    /// <summary>The caller goes away: a terminal needs somebody else to hold it.</summary>
    public bool Detach { get; init; }

    /// <summary>See <see cref="ContainerRequest.CallersKeyring"/>.</summary>
    public bool CallersKeyring { get; init; }

    /// <summary>A container that has ended stays, with its cgroup, until it is deleted (runc run --keep).</summary>
    public bool Keep { get; init; }

    /// <summary>Where a service manager waits to hear that the payload is ready (<c>NOTIFY_SOCKET</c>), or null.</summary>
    public string? NotifySocket { get; init; }

    /// <summary>The spec, its process told of the activated sockets.</summary>
    internal Spec WithActivation(Spec spec) => ActivatedFds == 0 || spec.Process is not { } process ? spec : spec with
    {
        // 1: the payload's number in its own pid namespace, as runc says it.
        Process = process with { Env = [.. process.Env ?? [], $"LISTEN_FDS={ActivatedFds}", "LISTEN_PID=1"] },
    };
}
