using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>The documents of one image, fetched and checked; its layers are still in the registry.</summary>
internal sealed class ResolvedImage
{
    /// <summary>What the reference stands for: the index where there is one, else the manifest. Docker's repo digest.</summary>
    public required FetchedManifest Root { get; init; }

    /// <summary>The indexes from the root down to the manifest; empty where the root is the manifest.</summary>
    public required IReadOnlyList<FetchedManifest> Indexes { get; init; }

    public required FetchedManifest ManifestDocument { get; init; }

    public required ImageManifest Manifest { get; init; }

    public required byte[] ConfigContent { get; init; }

    public required ImageConfig Config { get; init; }

    public required IReadOnlyList<Digest> DiffIds { get; init; }
}

/// <summary>From a reference to the one image of it that runs here.</summary>
internal static class ImageResolver
{
    /// <param name="platform">The platform asked for.</param>
    /// <exception cref="RegistryException">See <see cref="RegistryClient"/>; Unsupported where no image of the index runs
    /// on the platform or the document is no container image.</exception>
    /// <exception cref="ImageSpecException">A document is not what its type says.</exception>
    public static async Task<ResolvedImage> ResolveAsync(
        RegistryClient client, ImageReference reference, Platform platform, PlatformNeed need, CancellationToken cancel)
    {
        FetchedManifest root = await client.FetchManifestAsync(reference.Digest?.ToString() ?? reference.Tag!, cancel).ConfigureAwait(false);
        List<FetchedManifest> indexes = [];
        FetchedManifest current = root;
        while (MediaTypes.IsIndex(current.MediaType))
        {
            indexes.Add(current);
            if (indexes.Count > StoredIndex.MaximumDepth)
            {
                throw new RegistryException(RegistryError.Corrupt, $"{reference.Familiar}: indexes nested deeper than {StoredIndex.MaximumDepth}");
            }

            current = await DescendAsync(client, reference, current, platform, need, cancel).ConfigureAwait(false);
        }

        ImageManifest manifest = ImageDocuments.ParseManifest(current.Content, $"manifest {current.Digest}");
        CheckTypes(manifest, reference);
        byte[] configContent = await client.FetchBlobAsync(manifest.Config, $"config {manifest.Config.Digest}", cancel).ConfigureAwait(false);
        ImageConfig config = ImageDocuments.ParseConfig(configContent, $"config {manifest.Config.Digest}", out IReadOnlyList<Digest> diffIds);
        if (diffIds.Count != manifest.Layers.Count)
        {
            throw new RegistryException(
                RegistryError.Corrupt,
                $"{reference.Familiar}: the manifest has {manifest.Layers.Count} layers, the configuration {diffIds.Count}");
        }

        CheckPlatform(config, reference, platform, need == PlatformNeed.Required);
        return new ResolvedImage
        {
            Root = root,
            Indexes = indexes,
            ManifestDocument = current,
            Manifest = manifest,
            ConfigContent = configContent,
            Config = config,
            DiffIds = diffIds,
        };
    }

    private static async Task<FetchedManifest> DescendAsync(
        RegistryClient client, ImageReference reference, FetchedManifest document, Platform platform, PlatformNeed need, CancellationToken cancel)
    {
        ImageIndex index = ImageDocuments.ParseIndex(document.Content, $"index {document.Digest}");
        Descriptor chosen = PlatformMatch.Choose(index.Manifests, platform)
            ?? (need == PlatformNeed.FirstOfAll ? index.Manifests.FirstOrDefault(IndexEntry.IsForLinux) : null)
            ?? throw new RegistryException(
                RegistryError.Unsupported,
                $"no matching manifest for {platform} in the manifest list entries of {reference.Familiar} "
                    + $"(there is: {PlatformMatch.Describe(index.Manifests)})");
        return await FetchEntryAsync(client, chosen, cancel).ConfigureAwait(false);
    }

    /// <summary>The document of an index's entry.</summary>
    /// <exception cref="RegistryException">As <see cref="RegistryClient.FetchManifestAsync"/>; Corrupt where it is not what the index says.</exception>
    public static async Task<FetchedManifest> FetchEntryAsync(RegistryClient client, Descriptor entry, CancellationToken cancel)
    {
        FetchedManifest document = await client.FetchManifestAsync(entry.Digest.ToString(), cancel).ConfigureAwait(false);

        // The descriptor has a third opinion on what the document is, and on how long.
        return (entry.MediaType is null || entry.MediaType == document.MediaType) && entry.Size == document.Content.Length
            ? document
            : throw new RegistryException(
                RegistryError.Corrupt,
                $"manifest {entry.Digest}: the index says {RegistryFailure.Printable(entry.MediaType ?? "nothing")} of {entry.Size} bytes, "
                    + $"the registry sent {document.MediaType} of {document.Content.Length} bytes");
    }

    private static void CheckTypes(ImageManifest manifest, ImageReference reference)
    {
        if (!MediaTypes.IsImageConfig(manifest.Config.MediaType))
        {
            string type = RegistryFailure.Printable(manifest.ArtifactType ?? manifest.Config.MediaType ?? "unknown");
            throw new RegistryException(RegistryError.Unsupported, $"{reference.Familiar} is no container image but an artifact of type {type}");
        }

        foreach (Descriptor layer in manifest.Layers)
        {
            if (!MediaTypes.IsLayer(layer.MediaType) || layer.MediaType!.EndsWith("+encrypted", StringComparison.Ordinal))
            {
                throw new RegistryException(
                    RegistryError.Unsupported,
                    $"{reference.Familiar}: layer {layer.Digest.Short} has the media type "
                        + $"{RegistryFailure.Printable(layer.MediaType ?? "none")}, which hull does not unpack");
            }
        }
    }

    private static void CheckPlatform(ImageConfig config, ImageReference reference, Platform platform, bool refuse)
    {
        Platform actual = new() { Os = config.Os, Architecture = config.Architecture, Variant = config.Variant };
        if (config.Os is not (null or "" or "linux"))
        {
            throw new RegistryException(RegistryError.Unsupported, $"{reference.Familiar} is an image for {actual}, hull runs linux images");
        }

        if (refuse && config.Architecture is { Length: > 0 } && !PlatformMatch.Runs(actual with { Os = "linux" }, platform))
        {
            throw new RegistryException(
                RegistryError.Unsupported,
                $"image with reference {reference.Familiar} was found but does not match the specified platform: "
                    + $"wanted {platform}, actual: {actual}");
        }
    }
}
