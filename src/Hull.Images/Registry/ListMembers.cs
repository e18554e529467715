using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>Finds the images that a list is made of: in the store, else in their registries, of which manifest and configuration are fetched and no
/// layer. Where the layers are is noted, so that a push can have the registry mount them.</summary>
public sealed class ListMembers(ImageStore store, ManifestReader reader)
{
    /// <summary>Makes a list of these images: see <see cref="ImageStore.CreateList"/>.</summary>
    /// <param name="names">As typed.</param>
    /// <exception cref="ImageException">NotFound or Invalid: a name. Conflict: the list is there.</exception>
    /// <exception cref="RegistryException">An image is neither here nor there.</exception>
    public async Task CreateListAsync(ImageReference list, IReadOnlyList<string> names, bool amend, CancellationToken cancel = default)
    {
        // No collection before the list keeps what was fetched for it.
        using IDisposable use = store.Hold();
        List<Descriptor> entries = [];
        foreach (string name in names)
        {
            ImageMatch match = store.Find(name);
            entries.Add(match is { Error: ImageError.NotFound, Reference: { } remote }
                ? await reader.InRegistryAsync(remote, match.Problem!, client => FetchAsync(client, remote, cancel), cancel).ConfigureAwait(false)
                : ImageStore.EntryOf(match.Required()));
        }

        store.CreateList(list, entries, amend);
    }

    private async Task<Descriptor> FetchAsync(RegistryClient client, ImageReference name, CancellationToken cancel)
    {
        FetchedManifest document = await client.FetchManifestAsync(name.Digest?.ToString() ?? name.Tag!, cancel).ConfigureAwait(false);
        if (MediaTypes.IsIndex(document.MediaType))
        {
            throw new RegistryException(
                RegistryError.Unsupported, $"{name.Familiar} is a manifest list itself: name the image of it that is meant by its digest, {name.FamiliarName}@sha256:…");
        }

        ImageManifest manifest = ImageDocuments.ParseManifest(document.Content, $"manifest {document.Digest}");
        byte[] config = await client.FetchBlobAsync(manifest.Config, $"config {manifest.Config.Digest}", cancel).ConfigureAwait(false);
        Platform? platform = null;
        if (MediaTypes.IsImageConfig(manifest.Config.MediaType))
        {
            platform = PlatformMatch.Of(ImageDocuments.ParseConfig(config, $"config {manifest.Config.Digest}", out IReadOnlyList<Digest> diffIds));
            store.Origins.Add(name.Name, diffIds.Zip(manifest.Layers, (diffId, blob) => new LayerBlob(diffId, blob)));
        }

        store.Blobs.Put(config);
        store.Blobs.Put(document.Content);
        return ImageStore.EntryOf(name, new Descriptor { MediaType = document.MediaType, Digest = document.Digest, Size = document.Content.Length }, platform);
    }
}
