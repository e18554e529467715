using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>What a container is: what its creator asked for, merged with its image. Written by create
/// (<c>config.json</c>), and once more where its networks change; everything that a start needs is here, so that a start reads no image record.</summary>
public sealed record ContainerConfig
{
    public required ContainerId Id { get; init; }
    /// <summary>The name at creation; a rename changes <see cref="ContainerStatus.Name"/> and the link in <c>names/</c> only.</summary>
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    /// <summary>The image as the user named it.</summary>
    public required string Image { get; init; }
    /// <summary>Digest of the image's config blob.</summary>
    public required Digest ImageId { get; init; }
    /// <summary>Chain ids of the image's layers, bottom first.</summary>
    public required IReadOnlyList<Digest> Layers { get; init; }
    /// <summary>Program and arguments: entrypoint, then command.</summary>
    public required IReadOnlyList<string> Args { get; init; }
    /// <summary>Image and request merged.</summary>
    public required PayloadConfig Payload { get; init; }
    public required HostConfig Host { get; init; }
    /// <summary>Every bind, volume and tmpfs mount of the container in the order of their making: of the request, of the
    /// image's VOLUMEs, of --volumes-from. Volumes have names here.</summary>
    public IReadOnlyList<MountConfig>? Mounts { get; init; }
    /// <summary>The host name inside; empty where the container shares another's uts namespace.</summary>
    public string Hostname { get; init; } = "";
}
