using Hull.Images.Checking;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>Finding damage, and mending it.</summary>
public sealed partial class ImageStore
{
    /// <summary>Reads every record, blob and layer and names what is damaged. Nothing is changed.</summary>
    /// <param name="uses">The containers: a layer that a running one has mounted is not mended.</param>
    /// <param name="extent">How much there was to read.</param>
    public IReadOnlyList<Damage> Check(Func<IReadOnlyList<ImageUse>> uses, out string extent)
    {
        using IDisposable use = Hold();
        StoreCheck check = new(this, uses);
        IReadOnlyList<Damage> found = check.Run();
        extent = check.Extent;
        return found;
    }

    /// <summary>Makes a record anew from the blobs of its image. Where that cannot be, the record goes with its names, so that the image can be
    /// had again.</summary>
    internal bool Rebuild(Digest id)
    {
        foreach ((byte[] manifest, ImageManifest parsed) in Manifests())
        {
            if (parsed.Config.Digest == id && Blobs.Contains(id))
            {
                using ImageIngest ingest = BeginIngest(manifest, parsed.MediaType, Blobs.ReadAll(id, ImageDocuments.MaxSize));
                if (UnpackStored(ingest))
                {
                    ingest.Commit([]);
                    return true;
                }
            }
        }

        using FileLock held = FileLock.Acquire(_layout.LockFile);
        foreach (NameTarget name in AllReferences().Where(name => name.Id == id).ToArray())
        {
            Files.Unlink(null, PathOf(name.Reference));
        }

        Files.Unlink(null, _layout.Record(id));
        WriteIndex();
        return false;
    }

    /// <summary>Unpacks a layer anew from its blob. Not while something takes in an image, or a container runs on the layer.</summary>
    internal bool UnpackAgain(ImageRecord record, Digest chainId, Func<IReadOnlyList<ImageUse>> uses)
    {
        if (Layers.Contains(chainId))
        {
            using FileLock? exclusive = FileLock.TryAcquire(_layout.UseLockFile);
            if (exclusive is null || uses().Any(use => use.IsRunning && use.ChainIds.Contains(chainId)))
            {
                return false;
            }

            using FileLock held = FileLock.Acquire(_layout.LockFile);
            RemoveLayer(chainId);
        }

        using ImageIngest ingest = BeginIngest(
            Blobs.ReadAll(record.Manifest.Digest, ImageDocuments.MaxSize), record.Manifest.MediaType, Blobs.ReadAll(record.Id, ImageDocuments.MaxSize));
        return UnpackStored(ingest);
    }

    /// <summary>Removes a blob whose content is not what its name says, so that the next pull or load brings it.</summary>
    /// <returns>False: the damage stays until then.</returns>
    internal bool DropBlob(Digest digest)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        Files.Unlink(null, _layout.Blob(digest));
        return false;
    }

    internal bool DropReference(string name)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        Files.Unlink(null, $"{_layout.References}/{name}");
        WriteIndex();
        return true;
    }

    /// <summary>The names that came with an index, by the index.</summary>
    internal IEnumerable<IGrouping<Digest, ImageReference>> NamesByIndex() =>
        AllReferences().Where(name => name.Index is not null).GroupBy(name => name.Index!.Value, name => name.Reference);

    /// <summary>Whether a name leads nowhere though its image is there: the link that stands for its index is gone.</summary>
    internal bool IsWayMissing(string reference) =>
        Files.TryReadLink(null, reference, out _) is { } link && NameTarget.Parse(link) is { Index: not null } target
            && Files.TryStatAt(null, _layout.Record(target.Id), followLinks: false, out _) is not null;

    internal bool RestoreWay(string name)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        if (Files.TryReadLink(null, $"{_layout.References}/{name}", out _) is { } link && NameTarget.Parse(link)?.Index is { } index)
        {
            LinkIndex(index);
        }

        return true;
    }

    internal bool RestateIndex()
    {
        _layout.Restore();
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        WriteIndex();
        return true;
    }

    private static bool UnpackStored(ImageIngest ingest)
    {
        foreach (IngestLayer layer in ingest.Layers)
        {
            if (layer.State == LayerState.Missing)
            {
                return false;
            }

            ingest.ApplyStored(layer.Index);
        }

        return true;
    }

    /// <summary>The manifests among the blobs: documents are small, and layers' first byte is no brace.</summary>
    private IEnumerable<(byte[] Bytes, ImageManifest Manifest)> Manifests()
    {
        foreach (string name in Names(_layout.Blobs))
        {
            if (!Digest.TryParse($"sha256:{name}", out Digest digest) || Blobs.TrySize(digest) is not <= ImageDocuments.MaxSize)
            {
                continue;
            }

            byte[] bytes;
            ImageManifest manifest;
            try
            {
                bytes = Blobs.ReadAll(digest, ImageDocuments.MaxSize);
                if (bytes is not [(byte)'{', ..])
                {
                    continue;
                }

                manifest = ImageDocuments.ParseManifest(bytes, name);
            }
            catch (Exception e) when (e is ImageSpecException or ImageException)
            {
                // Another document, or a damaged one, which the check names by itself.
                continue;
            }

            yield return (bytes, manifest);
        }
    }
}
