using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Images.Diffing;

/// <summary>The writable directory of a container over the layers of its image.</summary>
/// <param name="Path">The upper directory of an overlay that was mounted with <c>redirect_dir=off,metacopy=off</c>.</param>
/// <param name="Below">The chainIDs of the layers, bottom first.</param>
public sealed record UpperDirectory(string Path, IReadOnlyList<Digest> Below)
{
    /// <summary>Of a new upper directory, which root owns; another mode or owner is a change of the container's.</summary>
    public const uint RootMode = 0x1ED;

    /// <summary>Whether a path, without a leading slash, is there only for the engine's own mounts. Of a directory it means that
    /// neither its being there nor its time is a change; what is in it may be one.</summary>
    public Func<byte[], FileMetadata, bool> IsScaffold { get; init; } = static (_, _) => false;

    /// <summary>The id of a user or group as the container sees it, for one that the host has on disk: another in a user namespace.</summary>
    public Func<uint, uint> IdInContainer { get; init; } = static id => id;

    /// <summary>Of a stack with this directory on top: only what it has itself has the host's ids.</summary>
    internal FileMetadata InContainer(MergedEntry entry) => entry.Layer == 0 ? InContainer(entry.Metadata) : entry.Metadata;

    internal FileMetadata InContainer(FileMetadata onDisk) =>
        onDisk with { UserId = IdInContainer(onDisk.UserId), GroupId = IdInContainer(onDisk.GroupId) };
}
