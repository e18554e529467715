using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>What a manifest names, brought to a repository: it must be there before the manifest.</summary>
internal static class ManifestPush
{
    /// <summary>The layers and, beside them, the configuration; the first failure ends the others.</summary>
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
        IReadOnlyList<Descriptor> layers = [];
        // Small as the configuration is, it would cost two round trips of its own after the layers.
        Func<CancellationToken, Task>[] parts = [PushLayersAsync, token => PushConfigurationAsync(store, client, manifest.Config.Digest, token)];
        await Parallel.ForEachAsync(
            parts,
            new ParallelOptions { MaxDegreeOfParallelism = parts.Length, CancellationToken = cancel },
            (part, token) => new ValueTask(part(token))).ConfigureAwait(false);
        return layers;

        async Task PushLayersAsync(CancellationToken token) => layers = await new LayerPush(store, client, target, progress).RunAsync(
            [.. diffIds.Zip(manifest.Layers, (diffId, blob) => new LayerBlob(diffId, blob))], compress, token).ConfigureAwait(false);
    }

    private static async Task PushConfigurationAsync(ImageStore store, RegistryClient client, Digest config, CancellationToken cancel)
    {
        if (!await client.HasBlobAsync(config, cancel).ConfigureAwait(false))
        {
            BlobUpload upload = new(client, store.Blobs.Source(config), $"config {config.Short}", _ => { }, _ => { });
            await upload.RunAsync(null, cancel).ConfigureAwait(false);
        }
    }
}
