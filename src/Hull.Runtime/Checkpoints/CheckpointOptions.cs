using System.Diagnostics.CodeAnalysis;

namespace Hull.Runtime.Checkpoints;

/// <summary>What both directions are told, under the names of runc's options.</summary>
public record CriuOptions
{
    public required string Id { get; init; }

    /// <summary>Where criu is; null: on PATH.</summary>
    public string? Program { get; init; }

    /// <summary>Absolute; the images' directory.</summary>
    public required string ImagePath { get; init; }

    /// <summary>Absolute; where criu's log goes.</summary>
    public required string WorkPath { get; init; }
    public bool TcpEstablished { get; init; }
    public bool ExternalUnixSockets { get; init; }
    public bool ShellJob { get; init; }
    public bool FileLocks { get; init; }
    public bool AutoDeduplicate { get; init; }

    /// <summary>The network namespace comes back empty: somebody else sets it up.</summary>
    public bool EmptyNetwork { get; init; }

    /// <summary><c>soft</c>, <c>full</c> or <c>strict</c>, as criu(8) has them.</summary>
    public string CgroupMode { get; init; } = "soft";

    /// <exception cref="ContainerException">Not a mode that leaves the container in a cgroup of its own.</exception>
    internal void Check()
    {
        if (CgroupMode is not ("soft" or "full" or "strict"))
        {
            throw new ContainerException(ContainerFault.Engine, $"--manage-cgroups-mode {CgroupMode}: soft, full and strict are possible");
        }
    }
}

/// <summary>What <c>checkpoint</c> is told.</summary>
public sealed record CheckpointOptions : CriuOptions
{
    [SetsRequiredMembers]
    public CheckpointOptions(CriuOptions common)
        : base(common)
    {
    }

    /// <summary>The images of an earlier pre-dump, relative to <see cref="CriuOptions.ImagePath"/>; null where there is none.</summary>
    public string? ParentPath { get; init; }
    public bool LeaveRunning { get; init; }

    /// <summary>Only the memory, and the container runs on: a later checkpoint writes what has changed.</summary>
    public bool PreDump { get; init; }
    public bool SkipInFlight { get; init; }
    public bool LinkRemap { get; init; }

    /// <summary>HOST:PORT of a page server that takes the memory; null writes it to the images.</summary>
    public string? PageServer { get; init; }
}

/// <summary>What <c>restore</c> is told beside the images.</summary>
public sealed record RestoreOptions : CriuOptions
{
    [SetsRequiredMembers]
    public RestoreOptions(CriuOptions common, string bundle)
        : base(common) => Bundle = bundle;

    /// <summary>Absolute.</summary>
    public string Bundle { get; }
    public string? PidFile { get; init; }
    public bool Detach { get; init; }

    /// <summary><c>apparmor:NAME</c> or <c>selinux:LABEL</c> in place of the checkpoint's.</summary>
    public string? LsmProfile { get; init; }
    public string? LsmMountContext { get; init; }
}
