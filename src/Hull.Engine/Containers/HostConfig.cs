using System.Text.Json.Serialization;
using Hull.Networking.Endpoints;
using Hull.Networking.Ports;

namespace Hull.Engine.Containers;

/// <summary>The half of a container that concerns the host: isolation, limits, mounts, policies. An image never has a
/// say in it (CVE-2014-6408). Docker's API calls it HostConfig.</summary>
/// <remarks>Every default is the zero value, so that a record holds only what was asked for.</remarks>
public sealed record HostConfig
{
    /// <summary>-v, --mount and --tmpfs in the order given.</summary>
    public IReadOnlyList<MountConfig>? Mounts { get; init; }
    /// <summary><c>CONTAINER[:ro|rw]</c>.</summary>
    public IReadOnlyList<string>? VolumesFrom { get; init; }
    public bool ReadonlyRootfs { get; init; }

    /// <summary>Capability names with or without CAP_, any case, or ALL.</summary>
    public IReadOnlyList<string>? CapAdd { get; init; }
    public IReadOnlyList<string>? CapDrop { get; init; }
    public bool Privileged { get; init; }
    /// <summary><c>no-new-privileges[=BOOL]</c>, <c>seccomp=unconfined</c>, <c>seccomp={…}</c> (the profile's text, not its
    /// path: SecurityOptions reads it), <c>apparmor=…</c>, <c>systempaths=unconfined</c>, <c>label=…</c>.</summary>
    public IReadOnlyList<string>? SecurityOpt { get; init; }
    public IReadOnlyList<DeviceConfig>? Devices { get; init; }
    /// <summary><c>c 42:* rmw</c>.</summary>
    public IReadOnlyList<string>? DeviceCgroupRules { get; init; }
    public IReadOnlyList<Ulimit>? Ulimits { get; init; }
    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
    /// <summary>Groups beside the user's own: names or numbers.</summary>
    public IReadOnlyList<string>? GroupAdd { get; init; }
    /// <summary>A small init as process 1 that reaps and passes signals on.</summary>
    public bool Init { get; init; }

    /// <summary>Empty (private), <c>host</c>, <c>container:ID</c>.</summary>
    public string? PidMode { get; init; }
    /// <summary>Empty (private), <c>none</c>, <c>private</c>, <c>shareable</c>, <c>host</c>, <c>container:ID</c>.</summary>
    public string? IpcMode { get; init; }
    /// <summary>Empty (private) or <c>host</c>.</summary>
    public string? UtsMode { get; init; }
    /// <summary>Empty (private on cgroup v2 and v1 alike), <c>private</c> or <c>host</c>.</summary>
    public string? CgroupnsMode { get; init; }
    /// <summary>Empty or <c>host</c> (none), or a mapping: <c>remap:CONTAINER:HOST:SIZE[,…]</c>.</summary>
    public string? UsernsMode { get; init; }
    /// <summary>Empty or <c>default</c> (the default bridge), <c>none</c>, <c>host</c>, <c>container:ID</c>, or a network's name.</summary>
    public string? NetworkMode { get; init; }
    /// <summary>The networks to be on, the first that of <see cref="NetworkMode"/>. In a request they have names or ids, in a
    /// <see cref="ContainerConfig"/> ids; null with none, host and container:ID.</summary>
    public IReadOnlyList<EndpointSettings>? Endpoints { get; init; }
    /// <summary>Values of <c>-p</c>, see <see cref="PortRule.Parse"/>.</summary>
    public IReadOnlyList<string>? Publish { get; init; }
    /// <summary>-P: every exposed port that is not published gets a port of the kernel's choice.</summary>
    public bool PublishAll { get; init; }
    /// <summary>Cgroup that becomes the parent of the container's own.</summary>
    public string? CgroupParent { get; init; }

    public Resources? Resources { get; init; }
    /// <summary>-1000 to 1000.</summary>
    public int? OomScoreAdj { get; init; }
    /// <summary>Bytes of /dev/shm; null: 64 MiB.</summary>
    public long? ShmSize { get; init; }

    public RestartPolicy? RestartPolicy { get; init; }
    public LogConfig? LogConfig { get; init; }
    /// <summary>--rm.</summary>
    public bool AutoRemove { get; init; }
    /// <summary>Where the command line wrote the id.</summary>
    public string? CidFile { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary><c>NAME:ADDRESS</c>.</summary>
    public IReadOnlyList<string>? ExtraHosts { get; init; }
    public IReadOnlyList<string>? Dns { get; init; }
    public IReadOnlyList<string>? DnsOptions { get; init; }
    public IReadOnlyList<string>? DnsSearch { get; init; }

    /// <summary>Null: Docker's list; empty: none.</summary>
    public IReadOnlyList<string>? MaskedPaths { get; init; }
    /// <summary>Null: Docker's list; empty: none.</summary>
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    [JsonIgnore]
    public bool IsHostNetwork => NetworkMode == "host";
}
