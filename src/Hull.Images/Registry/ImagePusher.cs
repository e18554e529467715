using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>What a push ended with.</summary>
/// <param name="Digest">Of the manifest, as the registry has it now.</param>
/// <param name="Size">The manifest's length in bytes.</param>
public sealed record PushResult(ImageReference Reference, Digest Digest, int Size)
{
    /// <summary>The platforms of the image's index that are not in the store, for which the image was pushed alone; empty where nothing is missing.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
}

/// <summary>Brings images of a store to registries. Thread-safe.</summary>
/// <remarks>
/// <code>
/// reference ─► endpoint ─► layers, five at a time: there? mounted? else sent ─► configuration ─► manifest under the tag
///                                                                                                └─► or by its digest, with others,
///                                                                                                    then their index under the tag
/// </code>
/// An image that came with an index goes out with it, if all that the index leads to is here, and else alone.
/// An image that came from a registry goes out byte for byte, so that its digests stay. One that did not (load, import, commit)
/// may have layers that are plain tars: they are compressed on the way, the same bytes each time. What another repository of the
/// same registry has is mounted from there. The tag moves last: a push that was killed leaves nothing that can be seen.
/// </remarks>
public sealed class ImagePusher(ImageStore store, RegistrySettings settings)
{
    /// <summary>Pushes the image for this platform alone; null for the index, or what the name stands for.</summary>
    public Platform? Platform { get; init; }

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
        IReadOnlyList<PushedImage> images = [.. references.Select(Find)];
        List<PushResult> results = [];
        await ToRepositoryAsync(
            references[0],
            images.SelectMany(pushed => pushed.DiffIds),
            progress,
            async (client, ordered) =>
            {
                foreach (PushedImage pushed in images)
                {
                    ImageReference reference = pushed.Reference;
                    PushResult result = await PushAsync(client, pushed, ordered, cancel).ConfigureAwait(false);
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
        IndexPush index = new(store, StoredIndex.Parse(store.Blobs, store.ReadListBytes(list)));
        await ToRepositoryAsync(
            list, index.DiffIds, progress, (client, ordered) => index.RunAsync(client, list, ordered, cancel), cancel).ConfigureAwait(false);
        return new PushResult(list, index.Root.Descriptor.Digest, index.Root.Content.Length);
    }

    /// <summary>The path of a repository in the registry of <paramref name="target"/>; null where it is in another registry, or the
    /// target itself.</summary>
    internal static string? PathWithin(string repository, ImageReference target)
    {
        string prefix = target.Domain + "/";
        return repository != target.Name && repository.StartsWith(prefix, StringComparison.Ordinal) ? repository[prefix.Length..] : null;
    }

    private PushedImage Find(ImageReference reference)
    {
        Image image = store.Find(reference.ToString()).Image
            ?? throw new ImageException(
                ImageError.NotFound, $"An image does not exist locally with the tag: {reference.Familiar} (hull images lists those there are)");
        if (Platform is not null)
        {
            return new PushedImage(reference, store.Find(reference.ToString(), Platform).Required(), null, []);
        }

        if (image.Index is not { } digest)
        {
            return new PushedImage(reference, image, null, []);
        }

        StoredIndex index = StoredIndex.Read(store.Blobs, digest);
        return index.IsComplete
            ? new PushedImage(reference, image, new IndexPush(store, index), [])
            : new PushedImage(reference, image, null, [.. index.Entries.Where(entry => !entry.IsHere).Select(NameOf).Distinct()]);
    }

    private static string NameOf(IndexEntry missing) => missing.Descriptor.Platform switch
    {
        null => missing.Descriptor.Digest.Short,
        { Os: "unknown" } => "attestations",
        { } platform => platform.ToString(),
    };

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

    private async Task<PushResult> PushAsync(RegistryClient client, PushedImage pushed, OrderedProgress progress, CancellationToken cancel)
    {
        (ImageReference reference, Image image, IndexPush? index, IReadOnlyList<string> missing) = pushed;
        if (index is not null)
        {
            await index.RunAsync(client, reference, progress, cancel).ConfigureAwait(false);
            Digest root = index.Root.Descriptor.Digest;
            store.AddDigest(image, ImageReference.Parse($"{reference.Name}@{root}"), root);
            return new PushResult(reference, root, index.Root.Content.Length);
        }

        byte[] stored = store.Blobs.ReadAll(image.ManifestDigest, ImageDocuments.MaxSize);
        ImageManifest manifest = ImageDocuments.ParseManifest(stored, $"manifest {image.ManifestDigest}");
        bool isAsInRegistry = image.Index is not null || image.References.Any(name => name.Digest == image.ManifestDigest);
        IReadOnlyList<Descriptor> layers = await ManifestPush.RunAsync(
            store, client, reference, manifest, [.. image.Layers.Select(layer => layer.DiffId)], !isAsInRegistry, progress, cancel).ConfigureAwait(false);
        byte[] content = PushedManifest.With(stored, manifest.Layers, layers);
        Digest digest = await client.PutManifestAsync(reference.Tag!, content, image.Record.Manifest.MediaType!, cancel).ConfigureAwait(false);
        store.AddDigest(image, ImageReference.Parse($"{reference.Name}@{digest}"));
        return new PushResult(reference, digest, content.Length) { Missing = missing };
    }

    /// <param name="Index">What goes out; null: the image alone.</param>
    /// <param name="Missing">Why it goes alone: the platforms that are not here.</param>
    private sealed record PushedImage(ImageReference Reference, Image Image, IndexPush? Index, IReadOnlyList<string> Missing)
    {
        public IEnumerable<Digest> DiffIds => Index?.DiffIds ?? Image.Layers.Select(layer => layer.DiffId);
    }
}
