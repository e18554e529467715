using System.Text.Json;
using Hull.Images.Tar;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Archives;

/// <summary>An image to save.</summary>
/// <param name="Names">To save it under; none for an image by its id.</param>
/// <param name="Index">What is saved, with all that it leads to; null: the image alone.</param>
internal sealed record SavedImage(Image Image, IReadOnlyList<ImageReference> Names, StoredIndex? Index);

/// <summary>Writes images as one archive that is both a docker archive and an OCI layout, as docker writes since version 25.</summary>
/// <remarks>Blobs go out as they came in, compressed layers compressed, so digests survive save and load.</remarks>
internal sealed class ImageSaver(ImageStore store)
{
    public void Save(IReadOnlyList<SavedImage> images, Stream output)
    {
        TarWriter tar = new(output);
        tar.Directory("blobs");
        tar.Directory("blobs/sha256");
        HashSet<Digest> written = [];
        List<Descriptor> index = [];
        List<DockerArchiveImage> docker = [];
        foreach ((Image image, IReadOnlyList<ImageReference> names, StoredIndex? whole) in images)
        {
            WriteBlob(tar, written, image.Id, image.Record.ConfigSize);
            foreach (ImageLayer layer in image.Layers)
            {
                WriteBlob(tar, written, layer.Blob.Digest, layer.Blob.Size);
            }

            WriteBlob(tar, written, image.ManifestDigest, image.Record.Manifest.Size);
            WriteRest(tar, written, whole);
            Descriptor descriptor = whole?.Documents[^1].Descriptor ?? ImageStore.EntryOf(image);
            index.AddRange(names.Count == 0 ? [descriptor] : names.Select(name => descriptor with { Annotations = Annotations(name) }));
            docker.Add(new DockerArchiveImage
            {
                Config = $"blobs/sha256/{image.Id.Hex}",
                RepoTags = [.. names.Select(name => name.Familiar)],
                Layers = [.. image.Layers.Select(layer => $"blobs/sha256/{layer.Blob.Digest.Hex}")],
            });
        }

        tar.File("index.json", JsonSerializer.SerializeToUtf8Bytes(
            new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = index }, ImageSpecJson.Default.ImageIndex));
        tar.File("manifest.json", JsonSerializer.SerializeToUtf8Bytes(docker, DockerArchiveJson.Default.IReadOnlyListDockerArchiveImage));
        tar.File("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"u8);
        tar.Finish();
        output.Flush();
    }

    /// <summary>As docker and containerd write them: the full name, and the tag as OCI's name within the layout.</summary>
    private static Dictionary<string, string> Annotations(ImageReference name) => new()
    {
        [ImageIndex.ContainerdName] = name.ToString(),
        [ImageIndex.ReferenceName] = name.Tag!,
    };

    /// <summary>What else an index leads to: the other images, and what goes with them.</summary>
    private void WriteRest(TarWriter tar, HashSet<Digest> written, StoredIndex? index)
    {
        foreach (IndexEntry entry in index?.Entries ?? [])
        {
            foreach (Descriptor blob in IndexEntry.Needed(entry.Manifest!).Append(entry.Descriptor))
            {
                WriteBlob(tar, written, blob.Digest, blob.Size);
            }
        }

        foreach (IndexDocument document in index?.Documents ?? [])
        {
            WriteBlob(tar, written, document.Descriptor.Digest, document.Descriptor.Size);
        }
    }

    private void WriteBlob(TarWriter tar, HashSet<Digest> written, Digest digest, long size)
    {
        if (written.Add(digest))
        {
            using FileStream blob = store.Blobs.OpenRead(digest);
            tar.File($"blobs/sha256/{digest.Hex}", blob, size);
        }
    }
}
