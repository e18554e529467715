using Hull.Engine.Containers;
using Hull.Engine.Volumes;
using Hull.Images;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Engine;

/// <summary>What a store takes on disk.</summary>
/// <param name="LayerBytes">Of all images' layers, each once.</param>
/// <param name="UsedLayerBytes">Of those that a container needs.</param>
public sealed record DiskUsage(
    IReadOnlyList<ImageUsage> Images, long LayerBytes, long UsedLayerBytes, IReadOnlyList<ContainerUsage> Containers, IReadOnlyList<VolumeUsage> Volumes);

/// <summary>An image's part.</summary>
/// <param name="SharedBytes">Of its layers that other images have too.</param>
/// <param name="Containers">How many containers are made of it.</param>
public sealed record ImageUsage(Image Image, long SharedBytes, int Containers);

/// <summary>A container's part.</summary>
/// <param name="Bytes">Of the files it has written.</param>
/// <param name="Volumes">How many volumes it mounts.</param>
public sealed record ContainerUsage(ContainerStatus Status, long Bytes, int Volumes);

/// <summary>A volume's part.</summary>
/// <param name="Containers">How many containers mount it.</param>
public sealed record VolumeUsage(VolumeRecord Volume, long Bytes, int Containers);

/// <summary>system df.</summary>
public sealed partial class Engine
{
    /// <summary>Counts what images, containers and volumes take. Walks the writable layers and the volumes.</summary>
    public DiskUsage DiskUsage()
    {
        IReadOnlyList<ContainerStatus> listed = List();
        Dictionary<string, int> mounts = [];
        HashSet<Digest> usedLayers = [];
        List<ContainerUsage> containers = [];
        foreach (ContainerStatus status in listed)
        {
            if (TryReadConfig(status.Id) is not { } config)
            {
                continue;
            }

            usedLayers.UnionWith(config.Layers);
            HashSet<string> volumes = [.. (config.Mounts ?? []).Where(mount => mount is { Kind: MountKind.Volume, Source: not null }).Select(mount => mount.Source!)];
            foreach (string volume in volumes)
            {
                mounts[volume] = mounts.GetValueOrDefault(volume) + 1;
            }

            containers.Add(new ContainerUsage(status, TreeSize.Of(Paths.ContainerDirectory(status.Id) + "/upper"), volumes.Count));
        }

        IReadOnlyList<Image> images = Images.List();
        Dictionary<Digest, (long Bytes, int Images)> layers = [];
        foreach (ImageLayer layer in images.SelectMany(image => image.Layers.DistinctBy(layer => layer.ChainId)))
        {
            layers[layer.ChainId] = (layer.UnpackedSize, layers.GetValueOrDefault(layer.ChainId).Images + 1);
        }

        return new DiskUsage(
            [.. images.Select(image => new ImageUsage(
                image,
                image.Layers.Where(layer => layers[layer.ChainId].Images > 1).Sum(layer => layer.UnpackedSize),
                listed.Count(status => status.ImageId == image.Id)))],
            layers.Values.Sum(layer => layer.Bytes),
            layers.Where(layer => usedLayers.Contains(layer.Key)).Sum(layer => layer.Value.Bytes),
            containers,
            [.. Volumes.List().Select(volume => new VolumeUsage(
                volume, TreeSize.Of(Volumes.DataDirectory(volume.Name)), mounts.GetValueOrDefault(volume.Name)))]);
    }

    /// <summary>Null where the container was removed since it was listed.</summary>
    private ContainerConfig? TryReadConfig(ContainerId id)
    {
        try
        {
            return Containers.ReadConfig(id);
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.NotFound)
        {
            return null;
        }
    }
}
