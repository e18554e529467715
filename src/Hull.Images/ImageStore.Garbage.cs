using Hull.Linux;
using Hull.Oci;

namespace Hull.Images;

/// <summary>Removing what nothing needs.</summary>
public sealed partial class ImageStore
{
    /// <summary>Removes layers and blobs that neither an image nor a container has, and what killed processes left.</summary>
    /// <returns>Null, and nothing is removed, while an image is being taken in, or a container made: the next collection gets it.</returns>
    public Garbage? CollectGarbage(Func<IReadOnlyList<ImageUse>> uses) => CollectGarbage(uses, new HashSet<Digest>(), dryRun: false);

    /// <summary>As <see cref="CollectGarbage(Func{IReadOnlyList{ImageUse}})"/>, with images that are given up.</summary>
    /// <param name="images">The ids of images that go too, unless a container uses them by now.</param>
    /// <param name="dryRun">Only tells what would go.</param>
    public Garbage? CollectGarbage(Func<IReadOnlyList<ImageUse>> uses, IReadOnlySet<Digest> images, bool dryRun)
    {
        _layout.Create();
        using FileLock? exclusive = FileLock.TryAcquire(_layout.UseLockFile);
        if (exclusive is null)
        {
            return null;
        }

        using FileLock held = FileLock.Acquire(_layout.LockFile);
        IReadOnlyList<ImageUse> holders = uses();
        HashSet<Digest> used = [.. holders.Select(use => use.ImageId)];
        HashSet<Digest> doomed = [.. images.Except(used)];
        doomed.UnionWith(ReadNames().OrphansWithout(name => doomed.Contains(name.Id)).Except(used));
        Garbage garbage = FindGarbage(holders, doomed);
        if (dryRun)
        {
            return garbage;
        }

        Sweep();
        RemoveRecords(ImagesOf(doomed), []);

        if (doomed.Count > 0)
        {
            WriteIndex();
        }

        foreach (Digest blob in garbage.Blobs)
        {
            Files.Unlink(null, _layout.Blob(blob));
        }

        foreach (Digest layer in garbage.Layers)
        {
            RemoveLayer(layer);
        }

        Origins.Keep(Ids().Select(id => TryRead(_layout.Record(id))).OfType<ImageRecord>()
            .SelectMany(record => record.Layers, (_, layer) => layer.DiffId).Concat(ListedDiffIds()).ToHashSet());
        return garbage;
    }

    /// <summary>When an image came into the store.</summary>
    public DateTimeOffset ArrivedAt(Image image) =>
        Files.TryStatAt(null, _layout.Record(image.Id), followLinks: false, out _) is { } record
            ? DateTimeOffset.FromUnixTimeSeconds(record.ModifiedSeconds)
            : DateTimeOffset.UtcNow;

    /// <summary>Removes images that no container uses, with all their names, and what is garbage then.</summary>
    /// <param name="wanted">Which of the unused images go.</param>
    /// <returns>What was done, in docker's order, and the bytes that it freed.</returns>
    public PruneResult Prune(Func<Image, bool> wanted, Func<IReadOnlyList<ImageUse>> uses)
    {
        _layout.Create();
        List<RemovedItem> removed = [];
        using (FileLock held = FileLock.Acquire(_layout.LockFile))
        {
            StoreNames names = ReadNames();
            HashSet<Digest> used = [.. uses().Select(use => use.ImageId)];
            // A name is in use with any of its images.
            HashSet<Digest> kept = [.. used, .. names.All.Where(name => name.Index is { } index && names.MembersOf(index).Overlaps(used)).Select(name => name.Id)];
            IReadOnlyList<Image> gone = [.. List().Where(image => !kept.Contains(image.Id) && !image.IsSibling && wanted(image))];
            HashSet<Digest> ids = [.. gone.Select(image => image.Id)];
            IEnumerable<Digest> siblings = names.OrphansWithout(name => ids.Contains(name.Id)).Except(ids).Except(used);
            RemoveRecords([.. gone, .. ImagesOf(siblings)], removed);
            if (removed.Count > 0)
            {
                WriteIndex();
            }
        }

        Garbage? garbage = CollectGarbage(uses);
        removed.AddRange((garbage?.Layers ?? []).Select(layer => new RemovedItem(null, layer)));
        return new PruneResult(removed, garbage?.Bytes ?? 0);
    }

    /// <param name="doomed">Images that count as gone.</param>
    private Garbage FindGarbage(IReadOnlyList<ImageUse> uses, HashSet<Digest> doomed)
    {
        HashSet<string> layers = [.. uses.SelectMany(use => use.ChainIds).Select(chain => chain.Hex)];
        HashSet<string> blobs = [.. ListedBlobs().Select(blob => blob.Hex)];
        HashSet<Digest> ids = [.. Ids().Where(id => !doomed.Contains(id))];
        foreach (Digest index in StoreNames.IndexesOf(AllReferences().Where(name => !doomed.Contains(name.Id))))
        {
            // A damaged one stays too, for the check to name.
            blobs.Add(index.Hex);
            blobs.UnionWith((StoredIndex.TryRead(Blobs, index)?.Blobs(ids.Contains) ?? []).Select(blob => blob.Hex));
        }

        foreach (Digest id in ids)
        {
            if (TryRead(_layout.Record(id)) is { } record)
            {
                blobs.Add(id.Hex);
                blobs.Add(record.Manifest.Digest.Hex);
                blobs.UnionWith(record.Layers.Select(layer => layer.Blob.Digest.Hex));
                layers.UnionWith(record.Layers.Select(layer => layer.ChainId.Hex));
            }
        }

        List<Digest> lostBlobs = [.. Unlisted(_layout.Blobs, blobs)];
        List<Digest> lostLayers = [.. Unlisted(_layout.Layers, layers)];
        return new Garbage(lostLayers, lostBlobs, lostBlobs.Sum(blob => Blobs.TrySize(blob) ?? 0) + lostLayers.Sum(Layers.SizeOf));
    }

    /// <summary>The digests that name something in a directory and are not in a set; other names are none of the store's.</summary>
    private static IEnumerable<Digest> Unlisted(string directory, HashSet<string> known)
    {
        foreach (string name in Names(directory).Where(name => !known.Contains(name)))
        {
            if (Digest.TryParse($"sha256:{name}", out Digest digest))
            {
                yield return digest;
            }
        }
    }

    private IReadOnlyList<Image> ImagesOf(IEnumerable<Digest> ids) =>
        [.. ids.Select(id => TryRead(_layout.Record(id))).OfType<ImageRecord>().Select(record => ToImage(record))];

    private void RemoveRecords(IReadOnlyList<Image> images, List<RemovedItem> removed)
    {
        foreach (Image image in images)
        {
            RemoveRecord(image, image.References, removed);
        }
    }

    /// <summary>Takes an image's names and its record. The caller holds the lock and writes the index.</summary>
    private void RemoveRecord(Image image, IEnumerable<ImageReference> names, List<RemovedItem> removed)
    {
        foreach (ImageReference reference in names)
        {
            Files.Unlink(null, PathOf(reference));
            removed.Add(new RemovedItem(reference.Familiar, null));
        }

        Files.Unlink(null, _layout.Record(image.Id));
        removed.Add(new RemovedItem(null, image.Id));
    }

    /// <summary>First out of sight by rename, so that a kill leaves a sweepable leftover and no half layer.</summary>
    private void RemoveLayer(Digest chainId)
    {
        // Locked, so that another process's sweep does not remove it at the same time.
        using FileLock? held = FileLock.TryAcquireDirectory(_layout.Layer(chainId));
        string doomed = $"{_layout.Layers}/new-removed-{chainId.Short}-{Environment.ProcessId}";
        Files.Rename(_layout.Layer(chainId), doomed);
        DirectoryListing.RemoveTree(doomed);
    }
}

/// <summary>What a removal of unused images did.</summary>
/// <param name="Bytes">Freed; 0 where the collection has to wait for another process that takes an image in.</param>
public sealed record PruneResult(IReadOnlyList<RemovedItem> Removed, long Bytes);
