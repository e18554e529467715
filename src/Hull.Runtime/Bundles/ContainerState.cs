using System.Text.Json.Serialization;

namespace Hull.Runtime.Bundles;

/// <summary>What the OCI runtime keeps of a container between two calls, in its root directory.</summary>
public sealed record ContainerState
{
    public required string Id { get; init; }
    public required string OciVersion { get; init; }
    /// <summary>Absolute.</summary>
    public required string Bundle { get; init; }
    public required string Rootfs { get; init; }
    public required int Pid { get; init; }
    /// <summary>Start time of the process in clock ticks since boot, proc_pid_stat(5) field 22: tells a reused pid.</summary>
    public required ulong StartTime { get; init; }
    public required string CgroupPath { get; init; }
    public required DateTimeOffset Created { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerState))]
internal sealed partial class ContainerStateJson : JsonSerializerContext;
