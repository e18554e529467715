using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>A document that a name leads to: a manifest, or an index of manifests.</summary>
/// <param name="Repository">Where it is: <c>docker.io/library/busybox</c>; null for an image of the store without a name.</param>
/// <param name="Content">Byte for byte.</param>
public sealed record FoundManifest(string? Repository, Descriptor Descriptor, byte[] Content)
{
    public bool IsIndex => MediaTypes.IsIndex(Descriptor.MediaType);

    /// <summary><c>docker.io/library/busybox@sha256:…</c>, or the digest alone.</summary>
    public string Reference => Repository is null ? Descriptor.Digest.ToString() : $"{Repository}@{Descriptor.Digest}";
}

/// <summary>Finds the manifests that names stand for: lists made here, then images of the store, then the registry, of which nothing is stored.
/// Thread-safe.</summary>
public sealed class ManifestReader(ImageStore store, RegistrySettings settings)
{
    /// <summary>Test hooks: how to connect, how long to wait, the environment.</summary>
    internal ConnectStream? Connect { get; init; }

    internal RetryPolicy Retry { get; init; } = RetryPolicy.Of(settings);

    internal Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The document of a name; of an image of the store the index that it came with, where there is one.</summary>
    /// <param name="name">As typed: a name, or the id of an image of the store.</param>
    /// <exception cref="ImageException">Invalid: not a name. Corrupt: the stored document is damaged.</exception>
    /// <exception cref="RegistryException">Neither here nor in its registry, or that is unreachable.</exception>
    public async Task<FoundManifest> FindAsync(string name, CancellationToken cancel = default)
    {
        ImageMatch match = store.Find(name);
        ImageReference? reference = match.Reference;
        if (reference is { Digest: null } && store.TryListBytes(reference) is { } list)
        {
            return Found(reference, MediaTypes.OciIndex, list);
        }

        if (match is { Error: ImageError.NotFound, Reference: not null })
        {
            return await InRegistryAsync(
                reference!,
                match.Problem!,
                async client =>
                {
                    FetchedManifest document = await client.FetchManifestAsync(reference!.Digest?.ToString() ?? reference.Tag!, cancel).ConfigureAwait(false);
                    return Found(reference, document.MediaType, document.Content);
                },
                cancel).ConfigureAwait(false);
        }

        Image image = match.Required();
        Digest digest = image.Index ?? image.ManifestDigest;
        byte[] content = store.Blobs.ReadAll(digest, ImageDocuments.MaxSize);
        string? type = image.Index is null ? image.Record.Manifest.MediaType : ImageDocuments.ParseIndex(content, $"index {digest}").MediaType ?? MediaTypes.OciIndex;
        return Found(reference ?? (image.References.Count > 0 ? image.References[0] : null), type ?? MediaTypes.OciManifest, content);
    }

    /// <summary>One image of a list that was made here.</summary>
    /// <param name="member">An image of the store, or the name by which it was put on the list, or its digest.</param>
    /// <exception cref="ImageException">NotFound: no such list, or the image is not in it.</exception>
    public FoundManifest FindMember(ImageReference list, string member)
    {
        Descriptor entry = store.ReadListEntry(list, member);
        return new FoundManifest(list.Name, entry, store.Blobs.ReadAll(entry.Digest, ImageDocuments.MaxSize));
    }

    /// <summary>Every manifest of a name, with its platform: those of the index, or the one.</summary>
    /// <exception cref="ImageException">As <see cref="FindAsync"/>.</exception>
    /// <exception cref="RegistryException">As <see cref="FindAsync"/>.</exception>
    public async Task<IReadOnlyList<FoundManifest>> FindEachAsync(string name, CancellationToken cancel = default)
    {
        FoundManifest root = await FindAsync(name, cancel).ConfigureAwait(false);
        if (!root.IsIndex)
        {
            Descriptor config = ImageDocuments.ParseManifest(root.Content, root.Reference).Config;
            byte[] content = await HereOrThereAsync(
                root.Repository, config, client => client.FetchBlobAsync(config, $"config {config.Digest}", cancel), cancel).ConfigureAwait(false);
            Platform? platform = MediaTypes.IsImageConfig(config.MediaType)
                ? PlatformMatch.Of(ImageDocuments.ParseConfig(content, $"config {config.Digest}", out _))
                : null;
            return [root with { Descriptor = root.Descriptor with { Platform = platform } }];
        }

        List<FoundManifest> found = [];
        foreach (Descriptor entry in ImageDocuments.ParseIndex(root.Content, root.Reference).Manifests)
        {
            byte[] content = await HereOrThereAsync(
                root.Repository,
                entry,
                async client => (await ImageResolver.FetchEntryAsync(client, entry, cancel).ConfigureAwait(false)).Content,
                cancel).ConfigureAwait(false);
            found.Add(new FoundManifest(root.Repository, entry, content));
        }

        return found;
    }

    /// <summary>Asks a name's registry.</summary>
    /// <param name="missing">What is said first where the registry has no answer: <c>No such image: app:1</c>.</param>
    internal async Task<T> InRegistryAsync<T>(ImageReference name, string missing, Func<RegistryClient, Task<T>> ask, CancellationToken cancel)
    {
        using RegistryTransport transport = new(settings, Connect, EnvironmentVariable);
        try
        {
            using RegistryClient client = new(
                await RegistrySession.ConnectAsync(
                    transport, settings, new CredentialStore(settings.DockerConfigDirectory), name.Domain, Retry, [TokenScope.Pull(name.Path)], cancel).ConfigureAwait(false),
                name);
            return await ask(client).ConfigureAwait(false);
        }
        catch (RegistryException e) when (e.Kind != RegistryError.Unsupported)
        {
            throw e.With($"{missing} here, nor in its registry: {e.Message}");
        }
        catch (ImageSpecException e)
        {
            throw new RegistryException(RegistryError.Corrupt, $"{name.Familiar}: {e.Message}", e);
        }
    }

    private async Task<byte[]> HereOrThereAsync(string? repository, Descriptor blob, Func<RegistryClient, Task<byte[]>> fetch, CancellationToken cancel)
    {
        if (repository is null || store.Blobs.TrySize(blob.Digest) == blob.Size)
        {
            return store.Blobs.ReadAll(blob.Digest, ImageDocuments.MaxSize);
        }

        return await InRegistryAsync(ImageReference.Parse($"{repository}@{blob.Digest}"), $"No such manifest: {blob.Digest}", fetch, cancel).ConfigureAwait(false);
    }

    private static FoundManifest Found(ImageReference? name, string mediaType, byte[] content)
    {
        Digest digest = Digest.Of(content);
        return new FoundManifest(name?.Name, new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length }, content);
    }
}
