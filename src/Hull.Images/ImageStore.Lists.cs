using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Lists of images for several platforms under one name: made here, as OCI indexes, to be pushed.</summary>
/// <remarks>A list is no image of the store: it is not run, listed or saved. What it points to is kept from garbage collection.</remarks>
public sealed partial class ImageStore
{
    /// <summary>Makes a list of images of the store.</summary>
    /// <param name="amend">Adds to the list that is there, an image of the same digest in the place of the old.</param>
    /// <exception cref="ImageException">Conflict: there is one, and it is not to be amended.</exception>
    public void CreateList(ImageReference name, IReadOnlyList<Image> images, bool amend)
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
        foreach (Image image in images)
        {
            entries.RemoveAll(entry => entry.Digest == image.ManifestDigest);
            entries.Add(image.Record.Manifest with { Platform = PlatformMatch.Of(image.Config) });
        }

        WriteList(name, entries);
    }

    /// <summary>Changes what a list says that an image of it runs on.</summary>
    /// <exception cref="ImageException">NotFound: no such list, or the image is not in it.</exception>
    public void AnnotateList(ImageReference name, Image image, Func<Platform, Platform> change)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        List<Descriptor> entries = [.. ReadList(name).Manifests];
        int at = entries.FindIndex(entry => entry.Digest == image.ManifestDigest);
        if (at < 0)
        {
            throw new ImageException(ImageError.NotFound, $"manifest for image {image.Id.Short} does not exist in {name.Familiar}");
        }

        entries[at] = entries[at] with { Platform = change(entries[at].Platform ?? new Platform()) };
        WriteList(name, entries);
    }

    /// <summary>A list's document, byte for byte as it would be pushed.</summary>
    /// <exception cref="ImageException">NotFound; Corrupt.</exception>
    public byte[] ReadListBytes(ImageReference name) =>
        TryReadListBytes(ListPath(name)) ?? throw new ImageException(ImageError.NotFound, $"No such manifest: {name.Familiar}");

    /// <exception cref="ImageException">NotFound.</exception>
    public void RemoveList(ImageReference name)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        ReadListBytes(name);
        Files.Unlink(null, ListPath(name));
    }

    private ImageIndex ReadList(ImageReference name) => ImageDocuments.ParseIndex(ReadListBytes(name), $"manifest list {name.Familiar}");

    private ImageIndex? TryReadList(ImageReference name) =>
        TryReadListBytes(ListPath(name)) is { } bytes ? ImageDocuments.ParseIndex(bytes, $"manifest list {name.Familiar}") : null;

    private void WriteList(ImageReference name, IReadOnlyList<Descriptor> entries)
    {
        Files.MakeDirectories(_layout.Lists, StoreLayout.Private);
        AtomicFile.Write(
            ListPath(name),
            JsonSerializer.SerializeToUtf8Bytes(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = entries }, ImageSpecJson.Default.ImageIndex),
            Options.Sync);
    }

    /// <summary>The blobs that lists need: of each entry the manifest, and what it names.</summary>
    private IEnumerable<Digest> ListedBlobs()
    {
        foreach (string name in Names(_layout.Lists))
        {
            if (TryReadListBytes($"{_layout.Lists}/{name}") is not { } bytes)
            {
                continue;
            }

            foreach (Descriptor entry in ImageDocuments.ParseIndex(bytes, name).Manifests)
            {
                yield return entry.Digest;
                if (Blobs.Contains(entry.Digest))
                {
                    ImageManifest manifest = ImageDocuments.ParseManifest(Blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize), $"manifest {entry.Digest}");
                    yield return manifest.Config.Digest;
                    foreach (Descriptor layer in manifest.Layers)
                    {
                        yield return layer.Digest;
                    }
                }
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
