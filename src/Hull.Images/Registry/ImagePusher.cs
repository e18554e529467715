using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>What a push ended with.</summary>
/// <param name="Digest">Of the manifest, as the registry has it now.</param>
/// <param name="Size">The manifest's length in bytes.</param>
public sealed record PushResult(ImageReference Reference, Digest Digest, int Size);

/// <summary>Brings images of a store to registries. Thread-safe.</summary>
/// <remarks>
/// <code>
/// reference ─► endpoint ─► layers, five at a time: there? mounted? else sent ─► configuration ─► manifest under the tag
/// </code>
/// An image that came from a registry goes out byte for byte, so that its digests stay. One that did not (load, import, commit)
/// may have layers that are plain tars: they are compressed on the way, the same bytes each time. What another repository of the
/// same registry has is mounted from there. The tag moves last: a push that was killed leaves nothing that can be seen.
/// </remarks>
public sealed class ImagePusher(ImageStore store, RegistrySettings settings)
{
    /// <summary>Test hooks: how to connect, how long to wait, the environment.</summary>
    internal ConnectStream? Connect { get; init; }

    internal RetryPolicy Retry { get; init; } = RetryPolicy.Of(settings);

    internal Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Pushes tags of one repository.</summary>
    /// <param name="references">With tags, at least one, of one repository.</param>
    /// <exception cref="RegistryException">The registry refused or is unreachable.</exception>
    /// <exception cref="ImageException">NotFound: no such image here. Corrupt: a stored blob is damaged.</exception>
    public async Task<IReadOnlyList<PushResult>> PushAsync(
        IReadOnlyList<ImageReference> references, ITransferProgress progress, CancellationToken cancel = default)
    {
        using IDisposable use = store.Hold();
        IReadOnlyList<(ImageReference Reference, Image Image)> images = [.. references.Select(reference => (reference, Find(reference)))];
        List<PushResult> results = [];
        await ToRepositoryAsync(
            references[0],
            images.SelectMany(pair => pair.Image.Layers).Select(layer => layer.DiffId),
            progress,
            async (client, ordered) =>
            {
                foreach ((ImageReference reference, Image image) in images)
                {
                    PushResult result = await PushAsync(client, reference, image, ordered, cancel).ConfigureAwait(false);
                    ordered.Message($"{reference.Tag}: digest: {result.Digest} size: {result.Size}");
                    results.Add(result);
                }
            },
            cancel).ConfigureAwait(false);
        return results;
    }

    /// <summary>Pushes a list of images for several platforms, and before it the images, by their digests.</summary>
    /// <param name="list">Of <see cref="ImageStore.CreateList"/>; also where it goes.</param>
    /// <exception cref="RegistryException">The registry refused or is unreachable.</exception>
    /// <exception cref="ImageException">NotFound: no such list, or an image's blobs are gone. Corrupt: a stored blob is damaged.</exception>
    public async Task<PushResult> PushListAsync(ImageReference list, ITransferProgress progress, CancellationToken cancel = default)
    {
        using IDisposable use = store.Hold();
        byte[] index = store.ReadListBytes(list);
        IReadOnlyList<ListedImage> images = [.. ImageDocuments.ParseIndex(index, $"manifest list {list.Familiar}").Manifests.Select(ReadListed)];
        await ToRepositoryAsync(
            list,
            images.SelectMany(image => image.DiffIds),
            progress,
            async (client, ordered) =>
            {
                foreach (ListedImage image in images)
                {
                    // As they are: the list names their digests.
                    await PushContentAsync(client, list, image.Manifest, image.DiffIds, compress: false, ordered, cancel).ConfigureAwait(false);
                    await client.PutManifestAsync(image.Entry.Digest.ToString(), image.Content, image.Entry.MediaType!, cancel).ConfigureAwait(false);
                    ordered.Message($"Pushed ref {list.Name}@{image.Entry.Digest}");
                }

                await client.PutManifestAsync(list.Tag!, index, MediaTypes.OciIndex, cancel).ConfigureAwait(false);
            },
            cancel).ConfigureAwait(false);
        return new PushResult(list, Digest.Of(index), index.Length);
    }

    /// <summary>The path of a repository in the registry of <paramref name="target"/>; null where it is in another registry, or the
    /// target itself.</summary>
    internal static string? PathWithin(string repository, ImageReference target)
    {
        string prefix = target.Domain + "/";
        return repository != target.Name && repository.StartsWith(prefix, StringComparison.Ordinal) ? repository[prefix.Length..] : null;
    }

    private Image Find(ImageReference reference) =>
        store.Find(reference.ToString()).Image
            ?? throw new ImageException(
                ImageError.NotFound, $"An image does not exist locally with the tag: {reference.Familiar} (hull images lists those there are)");

    private ListedImage ReadListed(Descriptor entry)
    {
        byte[] content = store.Blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize);
        ImageManifest manifest = ImageDocuments.ParseManifest(content, $"manifest {entry.Digest}");
        ImageDocuments.ParseConfig(store.Blobs.ReadAll(manifest.Config.Digest, ImageDocuments.MaxSize), $"config {manifest.Config.Digest}", out IReadOnlyList<Digest> diffIds);
        return new ListedImage(entry, content, manifest, diffIds);
    }

    /// <summary>Connects to a target's registry, with a token that is good for layers of these diffIDs, and words what fails there.</summary>
    private async Task ToRepositoryAsync(
        ImageReference target, IEnumerable<Digest> diffIds, ITransferProgress progress, Func<RegistryClient, OrderedProgress, Task> push, CancellationToken cancel)
    {
        OrderedProgress ordered = new(progress);
        ordered.Message($"The push refers to repository [{target.Name}]");
        using RegistryTransport transport = new(settings, Connect, EnvironmentVariable);
        CredentialStore credentials = new(settings.DockerConfigDirectory);
        try
        {
            using RegistryClient client = new(
                await RegistrySession.ConnectAsync(transport, settings, credentials, target.Domain, Retry, Scopes(target, diffIds), cancel).ConfigureAwait(false), target);
            await push(client, ordered).ConfigureAwait(false);
        }
        catch (RegistryException e)
        {
            throw PushRefusal.Of(e, target, credentials.File);
        }
        catch (ImageException e)
        {
            throw new ImageException(e.Kind, $"push {target.Familiar}: {e.Message}", e);
        }
    }

    /// <summary>What the token must be good for: mounting takes the right to pull from where the layer is.</summary>
    private List<string> Scopes(ImageReference target, IEnumerable<Digest> diffIds)
    {
        const int Maximum = 8;
        return
        [
            TokenScope.Push(target.Path),
            .. diffIds.SelectMany(store.Origins.Of)
                .Select(origin => PathWithin(origin.Repository, target)).OfType<string>().Distinct().Take(Maximum).Select(TokenScope.Pull),
        ];
    }

    private async Task<PushResult> PushAsync(
        RegistryClient client, ImageReference reference, Image image, OrderedProgress progress, CancellationToken cancel)
    {
        byte[] stored = store.Blobs.ReadAll(image.ManifestDigest, ImageDocuments.MaxSize);
        ImageManifest manifest = ImageDocuments.ParseManifest(stored, $"manifest {image.ManifestDigest}");
        bool isAsInRegistry = image.References.Any(name => name.Digest == image.ManifestDigest);
        IReadOnlyList<Descriptor> layers = await PushContentAsync(
            client, reference, manifest, [.. image.Layers.Select(layer => layer.DiffId)], !isAsInRegistry, progress, cancel).ConfigureAwait(false);
        byte[] content = PushedManifest.With(stored, manifest.Layers, layers);
        Digest digest = await client.PutManifestAsync(reference.Tag!, content, image.Record.Manifest.MediaType!, cancel).ConfigureAwait(false);
        store.AddDigest(image, ImageReference.Parse($"{reference.Name}@{digest}"));
        return new PushResult(reference, digest, content.Length);
    }

    /// <summary>Layers, then the configuration: what a manifest names must be there before it.</summary>
    /// <returns>The layers as the registry has them, in the manifest's order.</returns>
    private async Task<IReadOnlyList<Descriptor>> PushContentAsync(
        RegistryClient client, ImageReference target, ImageManifest manifest, IReadOnlyList<Digest> diffIds, bool compress, OrderedProgress progress, CancellationToken cancel)
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

    /// <summary>An image of a list, read from the store's blobs: it may have no record any more.</summary>
    private sealed record ListedImage(Descriptor Entry, byte[] Content, ImageManifest Manifest, IReadOnlyList<Digest> DiffIds);
}
