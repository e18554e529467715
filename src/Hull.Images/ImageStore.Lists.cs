using System.Text.Json;
using Hull.Images.Registry;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Lists of images for several platforms under one name: made here, as OCI indexes, to be pushed.</summary>
/// <remarks>A list is no image of the store: it is not run, listed or saved. What it points to is kept from garbage collection. An entry that is
/// in a registry only is noted with its name, for <c>manifest annotate</c>; what is pushed does not say it.</remarks>
public sealed partial class ImageStore
{
    private const string EntryName = "hull.name";

    /// <summary>Makes a list of images.</summary>
    /// <param name="images">As <see cref="ListMembers"/> found them.</param>
    /// <param name="amend">Adds to the list that is there, an image of the same digest in the place of the old.</param>
    /// <exception cref="ImageException">Conflict: there is one, and it is not to be amended.</exception>
    public void CreateList(ImageReference name, IReadOnlyList<Descriptor> images, bool amend)
    {
        _layout.Create();
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        ImageIndex? before = TryReadList(name);
        if (before is not null && !amend)
        {
            throw new ImageException(
                ImageError.Conflict, $"refusing to amend an existing manifest list with no --amend flag ({name.Familiar}; hull manifest rm removes it)");
        }

        List<Descriptor> entries = [.. before?.Manifests ?? []];
        foreach (Descriptor image in images)
        {
            entries.RemoveAll(entry => entry.Digest == image.Digest);
            entries.Add(image);
        }

        WriteList(name, entries);
    }

    /// <summary>Changes what a list says that an image of it runs on.</summary>
    /// <param name="member">An image of the store, or the name by which it was put on the list, or its digest.</param>
    /// <exception cref="ImageException">NotFound: no such list, or the image is not in it.</exception>
    public void AnnotateList(ImageReference name, string member, Func<Platform, Platform> change)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        List<Descriptor> entries = [.. ReadList(name).Manifests];
        int at = IndexOf(entries, name, member);
        entries[at] = entries[at] with { Platform = change(entries[at].Platform ?? new Platform()) };
        WriteList(name, entries);
    }

    /// <summary>What a list says of one of its images, named as for <see cref="AnnotateList"/>.</summary>
    /// <exception cref="ImageException">NotFound: no such list, or the image is not in it.</exception>
    internal Descriptor ReadListEntry(ImageReference name, string member)
    {
        List<Descriptor> entries = [.. ReadList(name).Manifests];
        return entries[IndexOf(entries, name, member)] with { Annotations = null };
    }

    private int IndexOf(List<Descriptor> entries, ImageReference name, string member)
    {
        ImageReference? reference = ImageReference.TryParse(member, out ImageReference? parsed) ? parsed : null;
        Digest? digest = Find(member).Image?.ManifestDigest ?? reference?.Digest;
        int at = entries.FindIndex(entry => entry.Digest == digest);
        at = at >= 0 || reference is null ? at : entries.FindIndex(entry => entry.Annotations?.GetValueOrDefault(EntryName) == reference.ToString());
        return at >= 0 ? at : throw new ImageException(ImageError.NotFound, $"manifest for image {reference?.Familiar ?? member} does not exist in {name.Familiar}");
    }

    /// <summary>A list's document, byte for byte as it would be pushed.</summary>
    /// <exception cref="ImageException">NotFound; Corrupt.</exception>
    public byte[] ReadListBytes(ImageReference name) => TryListBytes(name) ?? throw NoList(name);

    /// <summary>As <see cref="ReadListBytes"/>; null where there is none.</summary>
    internal byte[]? TryListBytes(ImageReference name) =>
        TryReadList(name) is { } list ? ListBytes([.. list.Manifests.Select(entry => entry with { Annotations = null })]) : null;

    /// <summary>The entry of a list for an image of the store.</summary>
    internal static Descriptor EntryOf(Image image) => image.Record.Manifest with { Platform = PlatformMatch.Of(image.Config) };

    /// <summary>The entry of a list for an image that is in a registry.</summary>
    internal static Descriptor EntryOf(ImageReference name, Descriptor manifest, Platform? platform) =>
        manifest with { Platform = platform, Annotations = new Dictionary<string, string> { [EntryName] = name.ToString() } };

    /// <exception cref="ImageException">NotFound.</exception>
    public void RemoveList(ImageReference name)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        ReadList(name);
        Files.Unlink(null, ListPath(name));
    }

    private ImageIndex ReadList(ImageReference name) =>
        TryReadList(name) ?? throw NoList(name);

    private static ImageException NoList(ImageReference name) => new(ImageError.NotFound, $"No such manifest: {name.Familiar}");

    private ImageIndex? TryReadList(ImageReference name) =>
        TryReadListBytes(ListPath(name)) is { } bytes ? ImageDocuments.ParseIndex(bytes, $"manifest list {name.Familiar}") : null;

    private void WriteList(ImageReference name, IReadOnlyList<Descriptor> entries)
    {
        Files.MakeDirectories(_layout.Lists, StoreLayout.Private);
        AtomicFile.Write(ListPath(name), ListBytes(entries), Options.Sync);
    }

    private static byte[] ListBytes(IReadOnlyList<Descriptor> entries) =>
        JsonSerializer.SerializeToUtf8Bytes(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = entries }, ImageSpecJson.Default.ImageIndex);

    /// <summary>The blobs that lists need: of each entry the manifest, and what it names.</summary>
    private IEnumerable<Digest> ListedBlobs() => ListedEntries().SelectMany(entry => (IEnumerable<Digest>)
        [entry.Digest, .. entry.Manifest is { } manifest ? manifest.Layers.Select(layer => layer.Digest).Append(manifest.Config.Digest) : []]);

    /// <summary>The layers of lists: where they are is known, though there may be no image of them here.</summary>
    private IEnumerable<Digest> ListedDiffIds()
    {
        foreach ((_, ImageManifest? manifest) in ListedEntries())
        {
            if (manifest is not null && MediaTypes.IsImageConfig(manifest.Config.MediaType) && Blobs.Contains(manifest.Config.Digest))
            {
                ImageDocuments.ParseConfig(
                    Blobs.ReadAll(manifest.Config.Digest, ImageDocuments.MaxSize), $"config {manifest.Config.Digest}", out IReadOnlyList<Digest> diffIds);
                foreach (Digest diffId in diffIds)
                {
                    yield return diffId;
                }
            }
        }
    }

    private IEnumerable<(Digest Digest, ImageManifest? Manifest)> ListedEntries()
    {
        foreach (string name in Names(_layout.Lists))
        {
            if (TryReadListBytes($"{_layout.Lists}/{name}") is not { } bytes)
            {
                continue;
            }

            foreach (Descriptor entry in ImageDocuments.ParseIndex(bytes, name).Manifests)
            {
                yield return (entry.Digest, Blobs.Contains(entry.Digest)
                    ? ImageDocuments.ParseManifest(Blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize), $"manifest {entry.Digest}")
                    : null);
            }
        }
    }

    private string ListPath(ImageReference name) => name.Digest is null
        ? $"{_layout.Lists}/{FileName(name)}"
        : throw new ImageException(ImageError.Invalid, $"\"{name.Familiar}\": a manifest list is named by a tag, not by a digest");

    private static byte[]? TryReadListBytes(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        return file is not null ? Files.ReadAll(file, ImageDocuments.MaxSize, path)
            : errno == Errno.ENOENT ? null
            : throw new SyscallException("open", path, errno);
    }
}
