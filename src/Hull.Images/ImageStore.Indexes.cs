using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Images for several platforms under one name: the index that a name came with is kept as a blob, and leads to those of its images
/// that are here.</summary>
/// <remarks>An image that no name stands for stays as long as such an index leads to it: a sibling.</remarks>
public sealed partial class ImageStore
{
    /// <summary>What of an image's index there is, in the order of the index; the image alone where it came without one.</summary>
    public IReadOnlyList<PlatformImage> PlatformsOf(Image image) =>
        image.Index is { } digest && StoredIndex.TryRead(Blobs, digest) is { } index
            ? [.. index.Entries.Where(entry => entry.Descriptor.Platform?.Os != "unknown").Select(entry => ToPlatform(entry, digest))]
            : [new PlatformImage(PlatformMatch.Of(image.Config), image.ManifestDigest, image)];

    /// <summary>The index that a name came with; null where its image came alone, or there is no such name.</summary>
    public Digest? IndexOf(ImageReference name) =>
        Files.TryReadLink(null, PathOf(name), out _) is { } link ? NameTarget.Parse(link)?.Index : null;

    /// <summary>Finds the image for a platform that a name, or an id, leads to.</summary>
    /// <param name="platform">Null: what the name stands for.</param>
    public ImageMatch Find(string reference, Platform? platform)
    {
        ImageMatch match = Find(reference);
        if (platform is null || match.Image is not { } image)
        {
            return match;
        }

        IReadOnlyList<PlatformImage> all = PlatformsOf(image);
        return Choose(all, platform)?.Image is { } chosen
            ? ImageMatch.Found(chosen, match.Reference)
            : ImageMatch.NotFor(match.Reference, ImageMatch.Describe(image, all, platform));
    }

    /// <summary>The image of the index that suits a platform best, here or not.</summary>
    internal static PlatformImage? Choose(IReadOnlyList<PlatformImage> all, Platform platform)
    {
        Descriptor? best = PlatformMatch.Choose([.. all.Select(one => new Descriptor { Digest = one.Manifest, Size = 0, Platform = one.Platform })], platform);
        return best is null ? null : all.First(one => one.Manifest == best.Digest && one.Platform == best.Platform);
    }

    private PlatformImage ToPlatform(IndexEntry entry, Digest index)
    {
        Image? image = entry.IsRunnable && entry.Manifest is { } manifest && TryRead(_layout.Record(manifest.Config.Digest)) is { } record
            ? ToImage(record, index)
            : null;
        return new PlatformImage(
            entry.Descriptor.Platform ?? (image is null ? new Platform() : PlatformMatch.Of(image.Config)), entry.Descriptor.Digest, image);
    }

    /// <summary>The ids of the images that an index leads to; none where it is damaged.</summary>
    private HashSet<Digest> MembersOf(Digest index) =>
        [.. (StoredIndex.TryRead(Blobs, index)?.Entries ?? [])
            .Where(entry => entry.IsRunnable && entry.Manifest is not null)
            .Select(entry => entry.Manifest!.Config.Digest)
            .Where(id => Files.TryStatAt(null, _layout.Record(id), followLinks: false, out _) is not null)];

    private StoreNames ReadNames() => new([.. AllReferences()], MembersOf);

    /// <summary>Makes the way through an index that names' links take.</summary>
    private void LinkIndex(Digest index)
    {
        string path = _layout.IndexLink(index);
        if (Files.TryStatAt(null, path, followLinks: false, out _) is null)
        {
            Files.MakeDirectories(_layout.Indexes, StoreLayout.Private);
            Files.MakeSymbolicLink("../records", null, path);
            if (Options.Sync)
            {
                // Before a name that leads through it.
                using SafeFileHandle indexes = Files.Open(_layout.Indexes, OpenFlags.ReadOnly | OpenFlags.Directory);
                Files.Sync(indexes, _layout.Indexes);
            }
        }
    }

    /// <summary>Removes the ways that no name takes any more. The caller holds the lock.</summary>
    private void SweepIndexes()
    {
        HashSet<string> used = [.. StoreNames.IndexesOf(AllReferences()).Select(index => index.Hex)];
        foreach (string name in Names(_layout.Indexes).Where(name => !used.Contains(name)))
        {
            Files.Unlink(null, $"{_layout.Indexes}/{name}");
        }
    }
}

/// <summary>One platform of a name.</summary>
/// <param name="Manifest">The digest of its manifest.</param>
/// <param name="Image">Null where it is not here, or nothing that can run.</param>
public sealed record PlatformImage(Platform Platform, Digest Manifest, Image? Image);
