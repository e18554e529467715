using System.Text.Json.Serialization;

namespace Hull.Engine.Containers;

/// <summary>What a <see cref="MountConfig"/> mounts.</summary>
public enum MountKind
{
    /// <summary>A path of the host.</summary>
    Bind,
    /// <summary>A volume of the store.</summary>
    Volume,
    Tmpfs,
}

/// <summary>Who asked for a mount. It decides how a missing source is met and how <c>inspect</c> shows it.</summary>
public enum MountOrigin
{
    /// <summary>--mount: a missing bind source is an error.</summary>
    MountFlag,
    /// <summary>-v: a missing bind source is made as a directory.</summary>
    VolumeFlag,
    /// <summary>--tmpfs.</summary>
    TmpfsFlag,
    /// <summary>A VOLUME of the image, as an anonymous volume.</summary>
    Image,
    /// <summary>--volumes-from.</summary>
    VolumesFrom,
}

/// <summary>One mount that a user or an image asked for.</summary>
public sealed partial record MountConfig
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required MountKind Kind { get; init; }
    /// <summary>Absolute path inside the container, cleaned of <c>.</c>, <c>..</c> and double slashes.</summary>
    public required string Target { get; init; }
    /// <summary>Bind: absolute host path. Volume: its name, null for an anonymous one until create names it. Tmpfs: null.</summary>
    public string? Source { get; init; }
    public MountOrigin Origin { get; init; }
    public bool ReadOnly { get; init; }
    /// <summary><c>private rprivate shared rshared slave rslave</c>; null: rprivate.</summary>
    public string? Propagation { get; init; }
    /// <summary>Bind: only the mount itself, not those below it.</summary>
    public bool NonRecursive { get; init; }
    /// <summary>Volume: do not fill an empty volume with what the image has at the target.</summary>
    public bool NoCopy { get; init; }
    /// <summary>Volume: a directory of it, resolved beneath the volume.</summary>
    public string? Subpath { get; init; }
    /// <summary>Volume: made for this container alone and removed with it (--rm, rm -v).</summary>
    public bool Anonymous { get; init; }
    /// <summary>Tmpfs: bytes; null: the kernel's default, half of the memory.</summary>
    public long? TmpfsSize { get; init; }
    /// <summary>Tmpfs: permission bits; null: 01777.</summary>
    public uint? TmpfsMode { get; init; }
    /// <summary>Tmpfs: further mount options as given, validated (<c>noexec</c>, <c>nr_inodes=…</c>).</summary>
    public IReadOnlyList<string>? TmpfsOptions { get; init; }
    /// <summary>The mode part of -v as given, for <c>inspect</c>: <c>ro,z</c>.</summary>
    public string? Mode { get; init; }
}
