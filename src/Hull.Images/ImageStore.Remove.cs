using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>Listing and removing.</summary>
public sealed partial class ImageStore
{
    /// <summary>Every image, the newest first, names read. Frees what a killed pull or load left.</summary>
    public IReadOnlyList<Image> List()
    {
        Sweep();
        Lazy<StoreNames> names = new(ReadNames());
        return [.. ReadableRecords()
            .Select(record => new Image(record, null, names))
            .OrderByDescending(image => image.Created)
            .ThenBy(image => image.Id.Hex, StringComparer.Ordinal)];
    }

    /// <summary>Takes a name from an image, or removes the image: docker's rules of <c>rmi</c>.</summary>
    /// <param name="typed">What the user typed. A name is untagged, and the image goes with its last name; an id removes the
    /// image, if it has at most one repository. With them go the images for other platforms that nothing else leads to.</param>
    /// <param name="force">Also removes an image of several repositories, or one of a stopped container, whose layers then stay.</param>
    /// <param name="uses">The containers and the images they use, read under the store's lock.</param>
    /// <param name="platform">Removes the image for this platform only; a name that stands for it stands for another then.</param>
    /// <returns>What was done, in docker's order.</returns>
    /// <exception cref="ImageException">NotFound, Invalid, or Conflict in docker's words.</exception>
    public IReadOnlyList<RemovedItem> Remove(string typed, bool force, Func<IReadOnlyList<ImageUse>> uses, Platform? platform = null)
    {
        _layout.Create();
        List<RemovedItem> removed = [];
        List<Digest> chain;
        using (FileLock held = FileLock.Acquire(_layout.LockFile))
        {
            ImageMatch match = Find(typed);
            Image image = match.Required();
            StoreNames names = ReadNames();
            chain = [.. image.ChainIds.Reverse()];
            try
            {
                bool frees = platform is not null ? RemovePlatform(image, platform, names, force, uses(), removed)
                    : match.Reference is { } name && names.All.FirstOrDefault(known => FileName(known.Reference) == FileName(name)) is { } named
                        ? Untag(image, named, names, force, uses(), removed)
                        : RemoveWhole(image, names, force, uses(), removed);
                if (!frees)
                {
                    return removed;
                }
            }
            finally
            {
                if (removed.Count > 0)
                {
                    WriteIndex();
                }
            }
        }

        // The image's own layers from the top down, then what else had been left.
        removed.AddRange((CollectGarbage(uses)?.Layers ?? [])
            .OrderBy(layer => chain.IndexOf(layer) is >= 0 and int position ? position : int.MaxValue)
            .Select(layer => new RemovedItem(null, layer)));
        return removed;
    }

    /// <returns>Whether an image went with the name.</returns>
    private bool Untag(Image image, NameTarget name, StoreNames names, bool force, IReadOnlyList<ImageUse> uses, List<RemovedItem> removed)
    {
        HashSet<NameTarget> dropped = [name, .. DigestsWithout(name, names)];
        HashSet<Digest> orphans = names.OrphansWithout(dropped.Contains);
        if (!names.All.Any(other => !dropped.Contains(other) && (other.Id == image.Id || Leads(other, image.Id, names))))
        {
            orphans.Add(image.Id);
        }

        List<ImageReference> own = [.. names.Of(image.Id)];
        IReadOnlyList<ImageUse> users = [.. uses.Where(use => use.ImageId == image.Id || orphans.Contains(use.ImageId))];
        if (!force && IsSingle(own) && users is [ImageUse user, ..])
        {
            throw new ImageException(
                ImageError.Conflict,
                $"conflict: unable to remove repository reference \"{name.Reference.Familiar}\" (must force) - "
                    + $"container {Short(user)} is using its referenced image {user.ImageId.Short}");
        }

        foreach (NameTarget drop in dropped)
        {
            Files.Unlink(null, PathOf(drop.Reference));
            removed.Add(new RemovedItem(drop.Reference.Familiar, null));
        }

        // The last name went; the images go too unless a container holds one, which keeps it without a name.
        bool isLast = orphans.Contains(image.Id);
        orphans.ExceptWith(users.Select(use => use.ImageId));
        RemoveRecords(ImagesOf(orphans.OrderByDescending(id => id == image.Id).ThenBy(id => id.Hex, StringComparer.Ordinal)), removed);
        return isLast && users.FirstOrDefault(use => use.IsRunning && use.ImageId == image.Id) is { } running
            ? throw Conflict(image, "cannot be forced", $"image is being used by running container {Short(running)}")
            : orphans.Count > 0;
    }

    /// <summary>The digests of a repository that go with a name: a repository without a tag keeps none of an image, nor of an index.</summary>
    private static IEnumerable<NameTarget> DigestsWithout(NameTarget gone, StoreNames names)
    {
        IReadOnlyList<NameTarget> others = [.. names.All.Where(name => name != gone && name.Reference.Name == gone.Reference.Name)];
        bool IsSame(NameTarget one, NameTarget other) => one.Id == other.Id || (one.Index is not null && one.Index == other.Index);
        return others.Where(name => name.Reference.Tag is null && IsSame(name, gone)
            && !others.Any(tagged => tagged.Reference.Tag is not null && IsSame(name, tagged)));
    }

    /// <summary>Whether a name's index has an image.</summary>
    private static bool Leads(NameTarget name, Digest id, StoreNames names) => name.Index is { } index && names.MembersOf(index).Contains(id);

    private bool RemoveWhole(Image image, StoreNames names, bool force, IReadOnlyList<ImageUse> uses, List<RemovedItem> removed)
    {
        List<ImageReference> own = [.. names.Of(image.Id)];
        RequireRemovable(image, own, force, [.. uses.Where(use => use.ImageId == image.Id)]);
        HashSet<Digest> orphans = names.OrphansWithout(name => name.Id == image.Id);
        orphans.Remove(image.Id);
        orphans.ExceptWith(uses.Select(use => use.ImageId));
        RemoveRecord(image, own, removed);
        RemoveRecords(ImagesOf(orphans.OrderBy(id => id.Hex, StringComparer.Ordinal)), removed);
        return true;
    }

    /// <summary>Removes one image of an index. The names that stood for it stand for another of its index, where there is one.</summary>
    private bool RemovePlatform(Image image, Platform platform, StoreNames names, bool force, IReadOnlyList<ImageUse> uses, List<RemovedItem> removed)
    {
        IReadOnlyList<PlatformImage> all = PlatformsOf(image);
        Image doomed = all.FirstOrDefault(one => one.Image is not null && PlatformMatch.IsSame(one.Platform, platform))?.Image
            ?? throw new ImageException(ImageError.NotFound, ImageMatch.Describe(image, all, platform));
        ILookup<bool, (NameTarget Name, Digest? Other)> own = names.All.Where(name => name.Id == doomed.Id)
            .Select(name => (Name: name, Other: OtherOf(name))).ToLookup(pair => pair.Other is not null);
        List<ImageReference> lost = [.. own[false].Select(pair => pair.Name.Reference)];
        RequireRemovable(doomed, lost, force, [.. uses.Where(use => use.ImageId == doomed.Id)]);
        foreach ((NameTarget name, Digest? other) in own[true])
        {
            Link(name.Reference, other!.Value, name.Index);
        }

        RemoveRecord(doomed, lost, removed);
        return true;
    }

    /// <summary>The image that a name is to stand for when its own goes: the host's of the index, or the first that is here.</summary>
    private Digest? OtherOf(NameTarget name)
    {
        if (name.Index is not { } digest || StoredIndex.TryRead(Blobs, digest) is not { } index)
        {
            return null;
        }

        IReadOnlyList<PlatformImage> others =
            [.. index.Entries.Select(entry => ToPlatform(entry, digest)).Where(one => one.Image is not null && one.Image.Id != name.Id)];
        return (Choose(others, PlatformMatch.Host) ?? (others.Count > 0 ? others[0] : null))?.Image!.Id;
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
