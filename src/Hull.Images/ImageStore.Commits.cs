using Hull.Images.Diffing;
using Hull.Images.Tar;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>What containers have changed, and images made of it.</summary>
public sealed partial class ImageStore
{
    /// <summary>What a container has changed of its image, in the order of the paths' bytes.</summary>
    /// <exception cref="Linux.SyscallException">A file cannot be read.</exception>
    public IReadOnlyList<PathChange> Changes(UpperDirectory upper)
    {
        List<PathChange> changes = [];
        UpperChanges.Walk(upper, Directories(upper.Below), change => changes.Add(new PathChange(change.Kind, change.Path)));
        return changes;
    }

    /// <summary>Makes a layer of what a container has changed. Equal contents give an equal diffID.</summary>
    /// <param name="whole">Of all that the container sees, to take the place of its image's layers.</param>
    /// <exception cref="ImageException">Host: a tree too deep, no space, or a file that cannot be read.</exception>
    public MadeLayer MakeLayer(UpperDirectory upper, bool whole = false)
    {
        _layout.Create();
        Sweep();
        return Explained(() => whole
            ? MadeLayer.OfContainer(Blobs, upper, Directories(upper.Below))
            : MadeLayer.OfChanges(Blobs, upper, Directories(upper.Below)));
    }

    /// <summary>Writes the whole root of a container as an archive, links and deletions merged, hull's own places for mounts included.</summary>
    /// <param name="output">The caller owns it.</param>
    /// <exception cref="ImageException">Host: a tree too deep.</exception>
    /// <exception cref="Linux.SyscallException">A file cannot be read.</exception>
    public void Export(UpperDirectory upper, Stream output)
    {
        // Not disposed: that would close the caller's stream.
        BufferedStream buffered = new(output, 256 * 1024);
        TarWriter tar = new(buffered);
        MergedTree.Write(
            [upper.Path, .. Directories(upper.Below)],
            new TreeArchiver(tar, isLayer: false),
            (_, entry) => upper.InContainer(entry));
        tar.Finish();
        buffered.Flush();
    }

    /// <summary>Makes an image of another and a layer above it, or in place of its layers. A layer with nothing in it is left out.</summary>
    /// <exception cref="ImageException">NotFound: a layer of the other image is gone from the store.</exception>
    public Image Commit(Image parent, MadeLayer layer, NewImage description)
    {
        ImageConfig before = ReadConfig(parent);
        List<Descriptor> layers = [];
        List<string> diffIds = [];
        List<ImageHistory> history = [];
        if (!layer.IsWhole)
        {
            layers.AddRange(parent.Layers.Select(below => below.Blob with { MediaType = OciMediaType(below.Blob.MediaType) }));
            diffIds.AddRange(before.Rootfs?.DiffIds ?? []);
            history.AddRange(before.History ?? []);
        }

        Digest blob = layer.Blob.Finish();
        if (!layer.IsEmpty)
        {
            layers.Add(new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = blob, Size = layer.Blob.Length });
            diffIds.Add(layer.DiffId.ToString());
        }

        history.Add(new ImageHistory
        {
            Created = description.Created,
            Author = description.Author,
            Comment = description.Comment,
            CreatedBy = description.CreatedBy,
            EmptyLayer = layer.IsEmpty ? true : null,
        });
        return Add(Describe(before, description, history, diffIds), layers, layer, description.Reference);
    }

    /// <summary>Makes an image of one layer that holds all that another's layers hold together.</summary>
    /// <exception cref="ImageException">Invalid: it has no layers. Host: a tree too deep, or no space.</exception>
    public Image Squash(Image image, NewImage description)
    {
        using IDisposable use = Hold();
        Sweep();
        if (image.ChainIds.Count == 0)
        {
            throw new ImageException(ImageError.Invalid, $"image {image.Id.Short} has no layers: there is nothing to squash");
        }

        using MadeLayer layer = Explained(() => MadeLayer.OfTree(Blobs, Directories(image.ChainIds)));
        return Commit(image, layer, description);
    }

    /// <summary>What turns one image's files into another's, in the order of the paths' bytes; times do not count.</summary>
    public IReadOnlyList<PathChange> Compare(Image before, Image after)
    {
        using IDisposable use = Hold();
        return TreeComparison.Compare(Directories(before.ChainIds), Directories(after.ChainIds));
    }

    /// <summary>What each layer of an image brings and what of it is hidden, bottom first.</summary>
    public IReadOnlyList<LayerUse> CountLayers(Image image)
    {
        using IDisposable use = Hold();
        return LayerCount.Of(image.Layers, layer => Layers.DirectoryOf(layer.ChainId));
    }

    private Image Add(ImageConfig config, IReadOnlyList<Descriptor> layers, MadeLayer layer, ImageReference? reference)
    {
        using ImageIngest ingest = BeginIngest(config, layers);
        foreach (IngestLayer missing in ingest.Layers.Where(known => known.State != LayerState.Present))
        {
            if (missing.Descriptor.Digest == layer.Blob.Finish() && missing.State == LayerState.Missing)
            {
                ingest.ApplyBlob(missing.Index, layer.Blob, CancellationToken.None);
            }
            else
            {
                ingest.ApplyStored(missing.Index);
            }
        }

        return ingest.Commit(reference is null ? [] : [reference]);
    }

    private static ImageConfig Describe(ImageConfig before, NewImage description, IReadOnlyList<ImageHistory> history, IReadOnlyList<string> diffIds) => before with
    {
        Created = description.Created,
        Author = description.Author,
        Comment = description.Comment,
        Defaults = description.Defaults,
        History = history,
        Rootfs = new ImageRootfs { Type = "layers", DiffIds = diffIds },
    };

    /// <summary>An OCI manifest names layers by OCI's types; docker's say the same.</summary>
    private static string? OciMediaType(string? mediaType) => mediaType switch
    {
        MediaTypes.DockerLayer => MediaTypes.OciLayer,
        MediaTypes.DockerLayerGzip or MediaTypes.DockerForeignLayerGzip => MediaTypes.OciLayerGzip,
        _ => mediaType,
    };

    /// <summary>The directories of a stack, top first.</summary>
    private List<string> Directories(IReadOnlyList<Digest> chainIds) => [.. chainIds.Reverse().Select(Layers.DirectoryOf)];

    private static MadeLayer Explained(Func<MadeLayer> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (LayerApplier.Explain(e, "the new layer") is { } explained)
        {
            throw explained;
        }
    }
}
