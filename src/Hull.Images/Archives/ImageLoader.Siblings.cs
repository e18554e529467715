using Hull.Oci.ImageSpec;

namespace Hull.Images.Archives;

/// <summary>The other images of an index that an archive holds. What the archive lacks of them is no mistake: a tool saves the platforms that it
/// has.</summary>
internal sealed partial class ImageLoader
{
    private void LoadSiblings(ArchiveContents contents, byte[] content, int depth)
    {
        foreach (Descriptor entry in ImageDocuments.ParseIndex(content, "index").Manifests)
        {
            string document = $"manifest {entry.Digest}";
            if (contents.Find(BlobName(entry.Digest)) is null)
            {
                continue;
            }

            byte[] bytes = ReadBlob(contents, entry, document);
            if (MediaTypes.IsIndex(entry.MediaType) || (entry.MediaType is null && ImageDocuments.LooksLikeIndex(bytes, document)))
            {
                store.Blobs.Put(bytes);
                if (depth < StoredIndex.MaximumDepth)
                {
                    LoadSiblings(contents, bytes, depth + 1);
                }

                continue;
            }

            ImageManifest manifest = ImageDocuments.ParseManifest(bytes, document);
            if (!IndexEntry.Needed(manifest).All(blob => contents.Find(BlobName(blob.Digest)) is not null))
            {
                continue;
            }

            if (!IndexEntry.IsForLinux(entry) || !IndexEntry.IsImage(manifest))
            {
                KeepBlobs(contents, manifest);
                store.Blobs.Put(bytes);
            }
            else if (_loaded.TrueForAll(loaded => loaded.Image.ManifestDigest != entry.Digest)
                && manifest.Layers.All(layer => contents.Find(BlobName(layer.Digest)) is not null))
            {
                using ImageIngest ingest = store.BeginIngest(bytes, entry.MediaType, ReadBlob(contents, manifest.Config, $"config {manifest.Config.Digest}"));
                Take(ingest, layer => contents.Find(BlobName(layer.Descriptor.Digest))!);
                ingest.Commit([]);
                _notes.AddRange(ingest.Notes);
            }
        }
    }

    /// <summary>What cannot be unpacked is kept as it is, so that the index is whole.</summary>
    private void KeepBlobs(ArchiveContents contents, ImageManifest manifest)
    {
        foreach (Descriptor blob in IndexEntry.Needed(manifest).Where(blob => store.Blobs.TrySize(blob.Digest) != blob.Size))
        {
            ArchiveFile file = contents.Find(BlobName(blob.Digest))!;
            using BlobWriter writer = file.TakeBlob() ?? store.Blobs.Begin();
            if (writer.Length == 0)
            {
                using Stream source = file.Open();
                source.CopyTo(writer, 256 * 1024);
            }

            writer.Commit(blob.Digest, store.Options.Sync);
        }
    }
}
