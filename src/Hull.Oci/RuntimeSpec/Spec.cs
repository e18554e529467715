using System.Text.Json.Serialization;

namespace Hull.Oci.RuntimeSpec;

/// <summary>A bundle's <c>config.json</c> (OCI runtime-spec 1.2, config.md). Unknown fields are ignored on reading.</summary>
public sealed record Spec
{
    public required string OciVersion { get; init; }
    public Process? Process { get; init; }
    public Root? Root { get; init; }
    public string? Hostname { get; init; }
    public string? Domainname { get; init; }
    /// <summary>In the order in which they are made.</summary>
    public IReadOnlyList<Mount>? Mounts { get; init; }
    public Hooks? Hooks { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
    public LinuxConfig? Linux { get; init; }
}

/// <summary>The container's root filesystem.</summary>
public sealed record Root
{
    /// <summary>Absolute, or relative to the bundle.</summary>
    public required string Path { get; init; }
    public bool? Readonly { get; init; }
}

/// <summary>One mount; option words as in mount(8) and runtime-spec config.md.</summary>
public sealed record Mount
{
    /// <summary>Absolute inside the container; resolved beneath the rootfs.</summary>
    public required string Destination { get; init; }
    public string? Type { get; init; }
    public string? Source { get; init; }
    public IReadOnlyList<string>? Options { get; init; }
    public IReadOnlyList<IdMapping>? UidMappings { get; init; }
    public IReadOnlyList<IdMapping>? GidMappings { get; init; }

    /// <summary>Whether it shows a file or directory of the host: by its type, or by an option as in mount(8).</summary>
    [JsonIgnore]
    public bool IsBind => Type == "bind" || (Options ?? []).Any(static option => option is "bind" or "rbind");
}

public sealed record Hooks
{
    public IReadOnlyList<Hook>? Prestart { get; init; }
    public IReadOnlyList<Hook>? CreateRuntime { get; init; }
    public IReadOnlyList<Hook>? CreateContainer { get; init; }
    public IReadOnlyList<Hook>? StartContainer { get; init; }
    public IReadOnlyList<Hook>? Poststart { get; init; }
    public IReadOnlyList<Hook>? Poststop { get; init; }
}

public sealed record Hook
{
    public required string Path { get; init; }
    public IReadOnlyList<string>? Args { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    /// <summary>Seconds, above 0; no limit where absent.</summary>
    public int? Timeout { get; init; }
}
