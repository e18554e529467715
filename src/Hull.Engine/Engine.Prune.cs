using Hull.Engine.Containers;
using Hull.Engine.Volumes;
using Hull.Images;
using Hull.Linux;

namespace Hull.Engine;

/// <summary>What a removal in bulk did.</summary>
/// <param name="Bytes">Freed.</param>
public sealed record Pruned(IReadOnlyList<string> Names, long Bytes);

/// <summary>Removing what is not used.</summary>
public sealed partial class Engine
{
    /// <summary>What the containers hold of the images; asked under the store's lock.</summary>
    public IReadOnlyList<ImageUse> ImageUses() =>
        [.. Containers.List(null, out _).Select(UseOf).OfType<ImageUse>()];

    private ImageUse? UseOf(ContainerStatus status) =>
        TryReadConfig(status.Id) is { } config ? new ImageUse(status.Id.Hex, status.ImageId, config.Layers, status.IsLive) : null;

    /// <summary>Removes containers that do not run. One that is started meanwhile stays.</summary>
    /// <returns>The ids removed.</returns>
    public Pruned PruneContainers(Func<ContainerStatus, bool> wanted)
    {
        List<string> removed = [];
        long bytes = 0;
        foreach (ContainerStatus status in List().Where(status => !status.IsLive && wanted(status)))
        {
            long size = TreeSize.Of(Paths.ContainerDirectory(status.Id) + "/upper");
            if (UnlessConflict(() => Remove(status.Id)))
            {
                removed.Add(status.Id.Hex);
                bytes += size;
            }
        }

        return new Pruned(removed, bytes);
    }

    /// <summary>Removes volumes that no container mounts.</summary>
    /// <returns>The names removed.</returns>
    public Pruned PruneVolumes(Func<VolumeRecord, bool> wanted)
    {
        List<string> removed = [];
        long bytes = 0;
        foreach (VolumeRecord volume in Volumes.List().Where(wanted))
        {
            long size = TreeSize.Of(Volumes.DataDirectory(volume.Name));
            if (UnlessConflict(() => RemoveVolume(volume.Name)))
            {
                removed.Add(volume.Name);
                bytes += size;
            }
        }

        return new Pruned(removed, bytes);
    }

    /// <summary>Removes images that no container is made of.</summary>
    public PruneResult PruneImages(Func<Image, bool> wanted)
    {
        try
        {
            return Images.Prune(wanted, ImageUses);
        }
        catch (Exception e) when (e is ImageException or SyscallException)
        {
            throw Wrap("prune images", e);
        }
    }
}
