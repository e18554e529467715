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
    /// <summary>An index may hold an index (image-index.md); deeper is a joke at our cost.</summary>
    private const int MaximumIndexDepth = 3;

    /// <param name="platform">The platform asked for.</param>
    /// <param name="isExplicit">Whether a person asked for it: then an image for another is refused, not only warned of.</param>
    /// <exception cref="RegistryException">See <see cref="RegistryClient"/>; Unsupported where no image of the index runs
    /// on the platform or the document is no container image.</exception>
    /// <exception cref="ImageSpecException">A document is not what its type says.</exception>
    public static async Task<ResolvedImage> ResolveAsync(
        RegistryClient client, ImageReference reference, Platform platform, bool isExplicit, CancellationToken cancel)
    {
        FetchedManifest root = await client.FetchManifestAsync(reference.Digest?.ToString() ?? reference.Tag!, cancel).ConfigureAwait(false);
        List<FetchedManifest> indexes = [];
        FetchedManifest current = root;
        while (MediaTypes.IsIndex(current.MediaType))
        {
            indexes.Add(current);
            if (indexes.Count > MaximumIndexDepth)
            {
                throw new RegistryException(RegistryError.Corrupt, $"{reference.Familiar}: indexes nested deeper than {MaximumIndexDepth}");
            }

            current = await DescendAsync(client, reference, current, platform, cancel).ConfigureAwait(false);
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

        CheckPlatform(config, reference, platform, isExplicit);
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
        RegistryClient client, ImageReference reference, FetchedManifest document, Platform platform, CancellationToken cancel)
    {
        ImageIndex index = ImageDocuments.ParseIndex(document.Content, $"index {document.Digest}");
        Descriptor chosen = PlatformMatch.Choose(index.Manifests, platform)
            ?? throw new RegistryException(
                RegistryError.Unsupported,
                $"no matching manifest for {platform} in the manifest list entries of {reference.Familiar} "
                    + $"(there is: {PlatformMatch.Describe(index.Manifests)})");
        FetchedManifest next = await client.FetchManifestAsync(chosen.Digest.ToString(), cancel).ConfigureAwait(false);

        // The descriptor has a third opinion on what the document is, and on how long.
        if ((chosen.MediaType is not null && chosen.MediaType != next.MediaType) || chosen.Size != next.Content.Length)
        {
            throw new RegistryException(
                RegistryError.Corrupt,
                $"manifest {chosen.Digest}: the index says {RegistryFailure.Printable(chosen.MediaType ?? "nothing")} of {chosen.Size} bytes, "
                    + $"the registry sent {next.MediaType} of {next.Content.Length} bytes");
        }

        return next;
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
