using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>What a pull ended with.</summary>
/// <param name="Image">The image, in the store.</param>
/// <param name="Reference">The full reference, docker's last line on standard output.</param>
/// <param name="Digest">Of the index, or of the manifest where there is no index.</param>
/// <param name="Downloaded">False where the name stood for this image before, and nothing of the other platforms was wanted and missing.</param>
public sealed record PullResult(Image Image, ImageReference Reference, Digest Digest, bool Downloaded);

/// <summary>Fetches images from registries into a store. Thread-safe; several pulls may run at once, in one process or in
/// several.</summary>
/// <remarks>
/// <code>
/// reference ─► endpoint (https, else http where allowed) ─► index ─► manifest ─► configuration
///                                                             │       └─► layers, three at a time:
///                                                             │           network ─► blob + unpacked layer, in one pass
///                                                             └─► the other platforms, where they are wanted: IndexPull
/// </code>
/// Nothing of an image is visible before all of it is there. A killed pull leaves staging files that the next one sweeps,
/// parts of blobs that it goes on with, and finished layers that it finds. A blob that two pulls want is fetched by one of them.
/// </remarks>
public sealed class ImagePuller
{
    private readonly ImageStore _store;
    private readonly RegistrySettings _settings;

    public ImagePuller(ImageStore store, RegistrySettings settings)
    {
        _store = store;
        _settings = settings;
        Retry = RetryPolicy.Of(settings);
    }

    /// <summary>Brings every image of an index, not only one; the host's is what the name stands for.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>Test hooks: how to connect, how long to wait, who answers for credential helpers.</summary>
    internal ConnectStream? Connect { get; init; }

    internal RetryPolicy Retry { get; init; }

    internal Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Pulls an image and names it. On success the last two messages to <paramref name="progress"/> are docker's
    /// <c>Digest:</c> and <c>Status:</c> lines.</summary>
    /// <param name="platform">The platform asked for; null for the host's, or what there is.</param>
    /// <exception cref="RegistryException">The registry refused, is unreachable, or sent something wrong.</exception>
    /// <exception cref="ImageException">A layer is corrupt or hostile, or the disk is full. Nothing is half there.</exception>
    public async Task<PullResult> PullAsync(
        ImageReference reference, Platform? platform, ITransferProgress progress, CancellationToken cancel = default)
    {
        OrderedProgress ordered = new(progress);
        try
        {
            using RegistryTransport transport = new(_settings, Connect, EnvironmentVariable);
            PullResult result = await FromEndpointsAsync(transport, reference, platform, ordered, cancel).ConfigureAwait(false);
            ordered.Message($"Digest: {result.Digest}");
            ordered.Message(result.Downloaded
                ? $"Status: Downloaded newer image for {reference.Familiar}"
                : $"Status: Image is up to date for {reference.Familiar}");
            return result;
        }
        catch (RegistryException e) when (!e.Message.Contains(reference.FamiliarName, StringComparison.Ordinal))
        {
            throw e.With($"pull {reference.Familiar}: {e.Message}");
        }
        catch (ImageSpecException e)
        {
            throw new RegistryException(RegistryError.Corrupt, $"pull {reference.Familiar}: {e.Message}", e);
        }
        catch (ImageException e)
        {
            throw new ImageException(e.Kind, $"pull {reference.Familiar}: {e.Message}", e);
        }
    }

    /// <summary>Pulls every tag of a repository.</summary>
    /// <param name="repository">Its tag does not matter.</param>
    /// <exception cref="RegistryException">As <see cref="PullAsync"/>; what was pulled before a failure stays.</exception>
    /// <exception cref="ImageException">As <see cref="PullAsync"/>.</exception>
    public async Task<IReadOnlyList<PullResult>> PullAllAsync(
        ImageReference repository, Platform? platform, ITransferProgress progress, CancellationToken cancel = default)
    {
        using RegistryTransport transport = new(_settings, Connect, EnvironmentVariable);
        CredentialStore credentials = new(_settings.DockerConfigDirectory);
        using RegistryClient client = new(
            await RegistrySession.ConnectAsync(
                transport, _settings, credentials, repository.Domain, Retry, [TokenScope.Pull(repository.Path)], cancel).ConfigureAwait(false),
            repository);
        List<PullResult> results = [];
        foreach (string tag in await client.ListTagsAsync(cancel).ConfigureAwait(false))
        {
            results.Add(await PullAsync(ImageReference.Parse($"{repository.Name}:{tag}"), platform, progress, cancel).ConfigureAwait(false));
        }

        return results;
    }

    /// <summary>Asks one endpoint after the other. Only being unreachable leads from https to http, where http is on the
    /// list at all; a mirror may fail in any way.</summary>
    private async Task<PullResult> FromEndpointsAsync(
        RegistryTransport transport, ImageReference reference, Platform? platform, OrderedProgress progress, CancellationToken cancel)
    {
        CredentialStore credentials = new(_settings.DockerConfigDirectory);
        string heading = $"{reference.Digest?.ToString() ?? reference.Tag}: Pulling from {reference.Path}";
        IReadOnlyList<RegistryEndpoint> endpoints = RegistryEndpoint.For(reference.Domain, _settings, transport.HasCertificates);
        RegistryException? before = null;
        for (int i = 0; ; i++)
        {
            bool last = i == endpoints.Count - 1;
            using RegistryClient client = new(
                new RegistrySession(transport, _settings, credentials, endpoints[i], Retry, [TokenScope.Pull(reference.Path)]), reference);
            ResolvedImage resolved;
            try
            {
                if (await FindCurrentAsync(client, reference, platform, cancel).ConfigureAwait(false) is { } current)
                {
                    progress.Message(heading);
                    return current;
                }

                resolved = await ImageResolver.ResolveAsync(
                    client, reference, platform ?? PlatformMatch.Host, NeedOf(platform), cancel).ConfigureAwait(false);
            }
            catch (RegistryException e) when (!last && (endpoints[i].IsMirror || e.Kind == RegistryError.Unreachable))
            {
                before = e;
                continue;
            }
            catch (ImageSpecException) when (!last && endpoints[i].IsMirror)
            {
                continue;
            }
            catch (RegistryException e) when (e.Kind == RegistryError.Unreachable && before is not null && before.Message != e.Message)
            {
                throw e.With($"{before.Message}; {endpoints[i].Base.Scheme}: {e.Message}");
            }

            progress.Message(heading);
            return await IngestAsync(client, reference, resolved, progress, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the name already stands for what the registry has: told by a HEAD request, which registries do not
    /// count against the rate limit. Null where the image has to be looked at.</summary>
    private async Task<PullResult?> FindCurrentAsync(
        RegistryClient client, ImageReference reference, Platform? platform, CancellationToken cancel)
    {
        if (_store.Find(reference.ToString()).Image is not { } image || !IsComplete(image))
        {
            return null;
        }

        Platform wanted = platform ?? PlatformMatch.Host;
        bool suits = image.Index is { } index
            ? StoredIndex.TryRead(_store.Blobs, index) is { } kept && Suits(image, kept, wanted)
            : PlatformMatch.Runs(PlatformMatch.Of(image.Config) with { Os = image.Config.Os ?? "linux" }, wanted);
        if (!suits)
        {
            return null;
        }

        Digest? digest = reference.Digest ?? await client.ResolveTagAsync(reference.Tag!, cancel).ConfigureAwait(false);
        // An image whose index was not kept is looked at again, which brings the index.
        bool same = digest is not null
            && (image.Index ?? image.ManifestDigest) == digest
            && _store.Find($"{reference.Name}@{digest}").Image is { } byDigest && byDigest.Index == image.Index;
        return same ? new PullResult(image, reference, digest!.Value, Downloaded: false) : null;
    }

    /// <summary>Whether a pull of the index would end with the image.</summary>
    private bool Suits(Image image, StoredIndex index, Platform wanted)
    {
        IReadOnlyList<Descriptor> entries = [.. index.Entries.Select(entry => entry.Descriptor)];
        Descriptor? best = PlatformMatch.Choose(entries, wanted) ?? (AllPlatforms ? entries.FirstOrDefault(IndexEntry.IsForLinux) : null);
        return best?.Digest == image.ManifestDigest && (!AllPlatforms || IsWhole(index));
    }

    private bool IsWhole(StoredIndex index) => index.IsComplete && index.Entries.All(entry =>
        !entry.IsRunnable || (_store.Find(entry.Manifest!.Config.Digest.ToString()).Image is { } image && IsComplete(image)));

    private PlatformNeed NeedOf(Platform? platform) =>
        platform is not null ? PlatformNeed.Required : AllPlatforms ? PlatformNeed.FirstOfAll : PlatformNeed.Preferred;

    private bool IsComplete(Image image) =>
        image.Layers.All(layer => _store.Layers.Contains(layer.ChainId) && _store.Blobs.TrySize(layer.Blob.Digest) == layer.Blob.Size);

    private async Task<PullResult> IngestAsync(
        RegistryClient client, ImageReference reference, ResolvedImage resolved, OrderedProgress progress, CancellationToken cancel)
    {
        Digest? before = _store.Find(reference.ToString()).Image?.Id;
        bool hadAll = !AllPlatforms || resolved.Indexes.Count == 0
            || (StoredIndex.TryRead(_store.Blobs, resolved.Root.Digest) is { } index && IsWhole(index));
        using IDisposable use = _store.Hold();
        using ImageIngest ingest = _store.BeginIngest(
            resolved.ManifestDocument.Content, resolved.ManifestDocument.MediaType, resolved.ConfigContent);
        await new LayerPull(client, ingest, _store.Blobs, progress).RunAsync(cancel).ConfigureAwait(false);

        ImageReference byDigest = ImageReference.Parse($"{reference.Name}@{resolved.Root.Digest}");
        Image image = ingest.Commit(reference.Digest is null ? [reference, byDigest] : [byDigest], [.. resolved.Indexes.Select(document => document.Content)]);
        _store.Origins.Add(reference.Name, ingest.Layers.Select(layer => new LayerBlob(layer.DiffId, layer.Descriptor)));
        if (AllPlatforms && resolved.Indexes is [FetchedManifest root, ..])
        {
            // From here on a kill leaves an image with some of its siblings; the next pull goes on with those that are missing.
            await new IndexPull(client, _store, reference, progress).RunAsync(root.Content, cancel).ConfigureAwait(false);
        }

        return new PullResult(image, reference, resolved.Root.Digest, Downloaded: before != image.Id || !hadAll);
    }
}
