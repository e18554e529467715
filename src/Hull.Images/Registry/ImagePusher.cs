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

    internal RetryPolicy Retry { get; init; } = RetryPolicy.Default;

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
        OrderedProgress ordered = new(progress);
        ImageReference first = references[0];
        ordered.Message($"The push refers to repository [{first.Name}]");
        using RegistryTransport transport = new(settings, Connect, EnvironmentVariable);
        CredentialStore credentials = new(settings.DockerConfigDirectory);
        List<PushResult> results = [];
        ImageReference current = first;
        try
        {
            using RegistryClient client = new(
                await RegistrySession.ConnectAsync(transport, settings, credentials, first.Domain, Retry, Scopes(images), cancel).ConfigureAwait(false), first);
            foreach ((ImageReference reference, Image image) in images)
            {
                current = reference;
                PushResult result = await PushAsync(client, reference, image, ordered, cancel).ConfigureAwait(false);
                ordered.Message($"{reference.Tag}: digest: {result.Digest} size: {result.Size}");
                results.Add(result);
            }
        }
        catch (RegistryException e)
        {
            throw PushRefusal.Of(e, current, credentials.File);
        }
        catch (ImageException e)
        {
            throw new ImageException(e.Kind, $"push {current.Familiar}: {e.Message}", e);
        }

        return results;
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

    /// <summary>What the token must be good for: mounting takes the right to pull from where the layer is.</summary>
    private List<string> Scopes(IReadOnlyList<(ImageReference Reference, Image Image)> images)
    {
        const int Maximum = 8;
        ImageReference target = images[0].Reference;
        return
        [
            TokenScope.Push(target.Path),
            .. images.SelectMany(pair => pair.Image.Layers).SelectMany(layer => store.Origins.Of(layer.DiffId))
                .Select(origin => PathWithin(origin.Repository, target)).OfType<string>().Distinct().Take(Maximum).Select(TokenScope.Pull),
        ];
    }

    private async Task<PushResult> PushAsync(
        RegistryClient client, ImageReference reference, Image image, OrderedProgress progress, CancellationToken cancel)
    {
        byte[] stored = store.Blobs.ReadAll(image.ManifestDigest, ImageDocuments.MaxSize);
        ImageManifest manifest = ImageDocuments.ParseManifest(stored, $"manifest {image.ManifestDigest}");
        bool isAsInRegistry = image.References.Any(name => name.Digest == image.ManifestDigest);
        IReadOnlyList<Descriptor> layers = await new LayerPush(store, client, reference, progress).RunAsync(
            [.. image.Layers.Select((layer, i) => (layer.DiffId, manifest.Layers[i]))], !isAsInRegistry, cancel).ConfigureAwait(false);
        if (!await client.HasBlobAsync(image.Id, cancel).ConfigureAwait(false))
        {
            BlobUpload config = new(client, store.Blobs.Source(image.Id), $"config {image.Id.Short}", _ => { }, _ => { });
            await config.RunAsync(null, cancel).ConfigureAwait(false);
        }

        byte[] content = PushedManifest.With(stored, manifest.Layers, layers);
        Digest digest = await client.PutManifestAsync(reference.Tag!, content, image.Record.Manifest.MediaType!, cancel).ConfigureAwait(false);
        store.AddDigest(image, ImageReference.Parse($"{reference.Name}@{digest}"));
        return new PushResult(reference, digest, content.Length);
    }
}
