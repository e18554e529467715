using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>What a manifest names, brought to a repository: it must be there before the manifest.</summary>
internal static class ManifestPush
{
    /// <summary>Layers, then the configuration.</summary>
    /// <param name="compress">Whether layers that are plain tars are compressed: no registry has the image as it is.</param>
    /// <returns>The layers as the registry has them, in the manifest's order.</returns>
    public static async Task<IReadOnlyList<Descriptor>> RunAsync(
        ImageStore store,
        RegistryClient client,
        ImageReference target,
        ImageManifest manifest,
        IReadOnlyList<Digest> diffIds,
        bool compress,
        OrderedProgress progress,
        CancellationToken cancel)
    {
        IReadOnlyList<Descriptor> layers = await new LayerPush(store, client, target, progress).RunAsync(
            [.. diffIds.Zip(manifest.Layers)], compress, cancel).ConfigureAwait(false);
        Digest config = manifest.Config.Digest;
        if (!await client.HasBlobAsync(config, cancel).ConfigureAwait(false))
        {
            BlobUpload upload = new(client, store.Blobs.Source(config), $"config {config.Short}", _ => { }, _ => { });
            await upload.RunAsync(null, cancel).ConfigureAwait(false);
        }

        return layers;
    }
}
