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
        return [.. ReadableRecords()
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

            RemoveRecord(image, names, removed);
            WriteIndex();
            chain = [.. image.ChainIds.Reverse()];
        }

        // The image's own layers from the top down, then what else had been left.
        removed.AddRange((CollectGarbage(uses)?.Layers ?? [])
            .OrderBy(layer => chain.IndexOf(layer) is >= 0 and int position ? position : int.MaxValue)
            .Select(layer => new RemovedItem(null, layer)));
        return removed;
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
