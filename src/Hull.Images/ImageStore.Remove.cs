using Hull.Linux;
using Hull.Oci;

namespace Hull.Images;

/// <summary>Listing and removing.</summary>
public sealed partial class ImageStore
{
    /// <summary>Every image, the newest first, names read. Frees what a killed pull or load left.</summary>
    public IReadOnlyList<Image> List()
    {
        Sweep();
        ILookup<Digest, ImageReference> names = AllReferences().ToLookup(pair => pair.Id, pair => pair.Reference);
        return [.. Ids()
            .Select(id => TryRead(_layout.Record(id)))
            .OfType<ImageRecord>()
            .Select(record => new Image(record, id => [.. names[id]]))
            .OrderByDescending(image => image.Created)
            .ThenBy(image => image.Id.Hex, StringComparer.Ordinal)];
    }

    /// <summary>Takes a name from an image, or removes the image: docker's rules of <c>rmi</c>.</summary>
    /// <param name="typed">What the user typed. A name is untagged, and the image goes with its last name; an id removes the
    /// image, if it has at most one repository.</param>
    /// <param name="force">Also removes an image of several repositories, or one of a stopped container, whose layers then stay.</param>
    /// <param name="uses">The containers and the images they use, read under the store's lock.</param>
    /// <returns>What was done, in docker's order.</returns>
    /// <exception cref="ImageException">NotFound, Invalid, or Conflict in docker's words.</exception>
    public IReadOnlyList<RemovedItem> Remove(string typed, bool force, Func<IReadOnlyList<ImageUse>> uses)
    {
        _layout.Create();
        List<RemovedItem> removed = [];
        List<Digest> chain;
        using (FileLock held = FileLock.Acquire(_layout.LockFile))
        {
            ImageMatch match = Find(typed);
            Image image = match.Required();
            IReadOnlyList<ImageUse> users = [.. uses().Where(use => use.ImageId == image.Id)];
            List<ImageReference> names = [.. image.References];
            if (match.Reference is { } name && names.Exists(known => FileName(known) == FileName(name)))
            {
                Untag(image, name, names, force, users, removed);
                if (names.Count > 0)
                {
                    WriteIndex();
                    return removed;
                }

                // The last name went; the image goes too unless a container holds it, which keeps it without a name.
                if (users.Count > 0)
                {
                    WriteIndex();
                    return users.FirstOrDefault(use => use.IsRunning) is { } running
                        ? throw Conflict(image, "cannot be forced", $"image is being used by running container {Short(running)}")
                        : removed;
                }
            }
            else
            {
                RequireRemovable(image, names, force, users);
            }

            foreach (ImageReference reference in names)
            {
                Files.Unlink(null, PathOf(reference));
                removed.Add(new RemovedItem(reference.Familiar, null));
            }

            Files.Unlink(null, _layout.Record(image.Id));
            WriteIndex();
            removed.Add(new RemovedItem(null, image.Id));
            chain = [.. image.ChainIds.Reverse()];
        }

        // The image's own layers from the top down, then what else had been left.
        removed.AddRange(CollectGarbage(uses)
            .OrderBy(layer => chain.IndexOf(layer) is >= 0 and int position ? position : int.MaxValue)
            .Select(layer => new RemovedItem(null, layer)));
        return removed;
    }

    /// <summary>Removes layers and blobs that neither an image nor a container has. Nothing while an image is being
    /// taken in: the next collection gets it.</summary>
    /// <returns>The chainIDs removed.</returns>
    public IReadOnlyList<Digest> CollectGarbage(Func<IReadOnlyList<ImageUse>> uses)
    {
        _layout.Create();
        using FileLock? exclusive = FileLock.TryAcquire(_layout.UseLockFile);
        if (exclusive is null)
        {
            return [];
        }

        using FileLock held = FileLock.Acquire(_layout.LockFile);
        Sweep();
        HashSet<string> layers = [.. uses().SelectMany(use => use.ChainIds).Select(chain => chain.Hex)];
        HashSet<string> blobs = [];
        HashSet<Digest> diffIds = [];
        foreach (Digest id in Ids())
        {
            if (TryRead(_layout.Record(id)) is { } record)
            {
                blobs.Add(id.Hex);
                blobs.Add(record.Manifest.Digest.Hex);
                blobs.UnionWith(record.Layers.Select(layer => layer.Blob.Digest.Hex));
                layers.UnionWith(record.Layers.Select(layer => layer.ChainId.Hex));
                diffIds.UnionWith(record.Layers.Select(layer => layer.DiffId));
            }
        }

        foreach (string blob in Names(_layout.Blobs).Where(name => !blobs.Contains(name)))
        {
            Files.Unlink(null, $"{_layout.Blobs}/{blob}");
        }

        Origins.Keep(diffIds);
        List<Digest> collected = [];
        foreach (string layer in Names(_layout.Layers).Where(name => !layers.Contains(name)))
        {
            if (Digest.TryParse($"sha256:{layer}", out Digest chainId))
            {
                RemoveLayer(chainId);
                collected.Add(chainId);
            }
        }

        return collected;
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

    private void Untag(
        Image image, ImageReference name, List<ImageReference> names, bool force, IReadOnlyList<ImageUse> users, List<RemovedItem> removed)
    {
        if (!force && IsSingle(names) && users is [ImageUse user, ..])
        {
            throw new ImageException(
                ImageError.Conflict,
                $"conflict: unable to remove repository reference \"{name.Familiar}\" (must force) - container {Short(user)} is using its referenced image {image.Id.Short}");
        }

        void Drop(ImageReference reference)
        {
            Files.Unlink(null, PathOf(reference));
            names.Remove(reference);
            removed.Add(new RemovedItem(reference.Familiar, null));
        }

        Drop(names.First(known => FileName(known) == FileName(name)));
        // A repository without a tag keeps no digest either.
        if (!names.Exists(other => other.Tag is not null && other.Name == name.Name))
        {
            foreach (ImageReference digest in names.Where(other => other.Name == name.Name).ToArray())
            {
                Drop(digest);
            }
        }
    }

    private static void RequireRemovable(Image image, List<ImageReference> names, bool force, IReadOnlyList<ImageUse> users)
    {
        if (users.FirstOrDefault(use => use.IsRunning) is { } running)
        {
            throw Conflict(image, "cannot be forced", $"image is being used by running container {Short(running)}");
        }

        if (!force && !IsSingle(names) && names.Count > 0)
        {
            throw Conflict(image, "must be forced", "image is referenced in multiple repositories");
        }

        if (!force && users is [ImageUse stopped, ..])
        {
            throw Conflict(image, "must be forced", $"image is being used by stopped container {Short(stopped)}");
        }
    }

    /// <summary>At most one tag, and all names in one repository.</summary>
    private static bool IsSingle(List<ImageReference> names) =>
        names.Count(name => name.Tag is not null) <= 1 && names.Select(name => name.Name).Distinct().Count() <= 1;

    private static ImageException Conflict(Image image, string how, string why) =>
        new(ImageError.Conflict, $"conflict: unable to delete {image.Id.Short} ({how}) - {why}");

    private static string Short(ImageUse use) => use.ContainerId.Length > 12 ? use.ContainerId[..12] : use.ContainerId;
}

/// <summary>A container's hold on an image.</summary>
/// <param name="ChainIds">The layers below the container, which stay even if the image is removed by force.</param>
public sealed record ImageUse(string ContainerId, Digest ImageId, IReadOnlyList<Digest> ChainIds, bool IsRunning);

/// <summary>One line of <c>rmi</c>: <c>Untagged: NAME</c> or <c>Deleted: DIGEST</c>, one of them set.</summary>
public sealed record RemovedItem(string? Untagged, Digest? Deleted)
{
    public override string ToString() => Untagged is not null ? $"Untagged: {Untagged}" : $"Deleted: {Deleted}";
}
