using System.Text.Json.Serialization;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>What changes in a container's life, and the few unchanging facts that <c>ps</c> shows, so that a listing reads
/// one small file a container (<c>status.json</c>).</summary>
/// <remarks>Written by whoever holds the container's monitor lock: the monitor while it lives, else the command that
/// creates, recovers or removes. A reader takes the live states for true only while that lock is held
/// (the container store does it).</remarks>
public sealed record ContainerStatus
{
    public required ContainerId Id { get; init; }
    public required string Name { get; init; }
    /// <summary>The image as the user named it.</summary>
    public required string Image { get; init; }
    public required Digest ImageId { get; init; }
    /// <summary>The command as <c>ps</c> shows it, unquoted and not shortened to a column.</summary>
    public required string Command { get; init; }
    public required DateTimeOffset Created { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required ContainerState State { get; init; }
    /// <summary>Init in the host's pid namespace; 0 where none lives.</summary>
    public int Pid { get; init; }
    /// <summary>The monitor's pid; 0 where none lives.</summary>
    public int MonitorPid { get; init; }
    /// <summary>0 to 255; 128+N after signal N. Of the last run.</summary>
    public int ExitCode { get; init; }
    /// <summary>Of the last start; absent before the first.</summary>
    public DateTimeOffset? Started { get; init; }
    /// <summary>Of the last end; absent before the first.</summary>
    public DateTimeOffset? Finished { get; init; }
    /// <summary>Why the last start failed or the last run ended, where the engine has something to say.</summary>
    public string? Error { get; init; }
    /// <summary>The kernel killed a process of the last run for memory.</summary>
    public bool OomKilled { get; init; }
    /// <summary>With <see cref="OomKilled"/>: the limit in words, <c>memory limit 64 MiB</c>.</summary>
    public string? OomLimit { get; init; }
    /// <summary>Restarts by the restart policy since the last start by hand.</summary>
    public int RestartCount { get; init; }
    /// <summary>A user stopped it: <c>unless-stopped</c> leaves it so, and the policy does not restart it.</summary>
    public bool StoppedByUser { get; init; }
    /// <summary>The ports of a running container as <c>ps</c> shows them.</summary>
    public string? Ports { get; init; }
    /// <summary>Remove when it ends (--rm): a recovery honours it without reading the config.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>Whether a process of the container may live.</summary>
    [JsonIgnore]
    public bool IsLive => State.IsLive();
}
