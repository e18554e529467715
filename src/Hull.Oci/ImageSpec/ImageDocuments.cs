using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hull.Oci.ImageSpec;

/// <summary>Reads the documents of images from registries and archives, which are hostile until checked: sizes, depth,
/// digests, and that a document is one thing only.</summary>
public static class ImageDocuments
{
    /// <summary>The longest manifest, index or configuration read, bytes. Registries commonly refuse manifests over 4 MiB
    /// (distribution-spec, "Pushing Manifests").</summary>
    public const int MaxSize = 4 << 20;

    /// <summary>overlayfs stacks no more (OVL_MAX_STACK, fs/overlayfs/params.h).</summary>
    public const int MaxLayers = 500;

    /// <summary>The most entries an index may have.</summary>
    public const int MaxManifests = 10_000;

    /// <summary>A manifest of one image.</summary>
    /// <param name="document">Names the document in errors.</param>
    /// <exception cref="ImageSpecException">Too long, not JSON, a member missing, a digest invalid, too many layers, an index, or both
    /// (CVE-2021-41190).</exception>
    public static ImageManifest ParseManifest(ReadOnlySpan<byte> json, string document)
    {
        RejectAmbiguous(json, document, expectIndex: false);
        ImageManifest manifest = Parse(json, ImageSpecJson.Default.ImageManifest, document);
        if (manifest.SchemaVersion != 2)
        {
            throw new ImageSpecException(document, $"schemaVersion {manifest.SchemaVersion} is not supported (only 2 is; push the image again with a current tool)");
        }

        if (manifest.MediaType is not null && !MediaTypes.IsManifest(manifest.MediaType))
        {
            throw new ImageSpecException(document, $"the media type {Printable(manifest.MediaType)} is not that of an image manifest");
        }

        CheckDescriptors(manifest.Layers, MaxLayers, "layers", document);
        CheckDescriptors([manifest.Config], 1, "config", document);
        return manifest;
    }

    /// <summary>An index or manifest list.</summary>
    /// <exception cref="ImageSpecException">As <see cref="ParseManifest"/>.</exception>
    public static ImageIndex ParseIndex(ReadOnlySpan<byte> json, string document)
    {
        RejectAmbiguous(json, document, expectIndex: true);
        ImageIndex index = Parse(json, ImageSpecJson.Default.ImageIndex, document);
        if (index.SchemaVersion != 2)
        {
            throw new ImageSpecException(document, $"schemaVersion {index.SchemaVersion} is not supported (only 2 is)");
        }

        if (index.MediaType is not null && !MediaTypes.IsIndex(index.MediaType))
        {
            throw new ImageSpecException(document, $"the media type {Printable(index.MediaType)} is not that of an index");
        }

        CheckDescriptors(index.Manifests, MaxManifests, "manifests", document);
        return index;
    }

    /// <summary>An image configuration.</summary>
    /// <param name="diffIds">The layers' diffIDs, checked.</param>
    /// <exception cref="ImageSpecException">As <see cref="ParseManifest"/>, or no <c>rootfs</c>.</exception>
    public static ImageConfig ParseConfig(ReadOnlySpan<byte> json, string document, out IReadOnlyList<Digest> diffIds)
    {
        ImageConfig config = Parse(json, ImageSpecJson.Default.ImageConfig, document);
        IReadOnlyList<string> texts = config.Rootfs?.DiffIds ?? throw new ImageSpecException(document, "rootfs.diff_ids is missing");
        if (texts.Count > MaxLayers)
        {
            throw new ImageSpecException(document, $"{texts.Count} layers (at most {MaxLayers} can be stacked)");
        }

        Digest[] digests = new Digest[texts.Count];
        for (int i = 0; i < digests.Length; i++)
        {
            if (!Digest.TryParse(texts[i], out digests[i]))
            {
                throw new ImageSpecException(document, $"rootfs.diff_ids[{i}] is not a sha256 digest");
            }
        }

        ImageDefaults? defaults = config.Defaults;
        CheckEntries(config.History, document, "history");
        CheckEntries(defaults?.Env, document, "config.Env");
        CheckEntries(defaults?.Entrypoint, document, "config.Entrypoint");
        CheckEntries(defaults?.Cmd, document, "config.Cmd");
        CheckEntries(defaults?.Shell, document, "config.Shell");
        CheckEntries(defaults?.OnBuild, document, "config.OnBuild");
        CheckEntries(defaults?.Healthcheck?.Test, document, "config.Healthcheck.Test");
        CheckEntries([.. defaults?.Labels?.Values ?? []], document, "config.Labels");
        diffIds = digests;
        return config;
    }

    /// <summary>The serializer lets a null pass as an element of a list, where nobody expects one (CVE-2024-36620).</summary>
    private static void CheckEntries(IReadOnlyList<object?>? entries, string document, string path)
    {
        for (int i = 0; i < entries?.Count; i++)
        {
            if (entries[i] is null)
            {
                throw new ImageSpecException(document, $"{path}[{i}] is null");
            }
        }
    }

    /// <summary>Whether a document without a media type is an index: it has <c>manifests</c>.</summary>
    /// <exception cref="ImageSpecException">It is neither or both.</exception>
    public static bool LooksLikeIndex(ReadOnlySpan<byte> json, string document)
    {
        (bool manifest, bool index) = Members(json, document);
        return (manifest, index) switch
        {
            (true, true) => throw Ambiguous(document),
            (false, false) => throw new ImageSpecException(document, "neither an image manifest nor an index"),
            _ => index,
        };
    }

    /// <summary>Deserializes with the size limit and with errors that name document and JSON path.</summary>
    public static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string document)
    {
        CheckSize(json.Length, document);
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new ImageSpecException(document, "is null");
        }
        catch (JsonException e)
        {
            throw new ImageSpecException(document, $"not valid: {FirstLine(e.Message)}", e);
        }
    }

    /// <summary>Refuses a length before anything of it is read.</summary>
    public static void CheckSize(long size, string document)
    {
        if (size > MaxSize)
        {
            throw new ImageSpecException(document, $"{size} bytes long (the limit is {MaxSize})");
        }
    }

    private static void RejectAmbiguous(ReadOnlySpan<byte> json, string document, bool expectIndex)
    {
        (bool manifest, bool index) = Members(json, document);
        if (manifest && index)
        {
            throw Ambiguous(document);
        }

        if (expectIndex ? manifest : index)
        {
            throw new ImageSpecException(document, expectIndex ? "is a manifest, not an index" : "is an index, not a manifest");
        }
    }

    private static ImageSpecException Ambiguous(string document) =>
        new(document, "is both a manifest and an index (CVE-2021-41190), so it is refused");

    private static (bool Manifest, bool Index) Members(ReadOnlySpan<byte> json, string document)
    {
        CheckSize(json.Length, document);
        bool manifest = false;
        bool index = false;
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 32 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                throw new ImageSpecException(document, "not a JSON object");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                manifest |= reader.ValueTextEquals("layers"u8) || reader.ValueTextEquals("config"u8) || reader.ValueTextEquals("fsLayers"u8);
                index |= reader.ValueTextEquals("manifests"u8);
                reader.Read();
                reader.Skip();
            }
        }
        catch (JsonException e)
        {
            throw new ImageSpecException(document, $"not valid: {FirstLine(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair in a name: the reader passes over it until the name is compared.
            throw new ImageSpecException(document, "not valid: a name in it is no Unicode", e);
        }

        return (manifest, index);
    }

    private static void CheckDescriptors(IReadOnlyList<Descriptor>? list, int limit, string member, string document)
    {
        if (list is null)
        {
            throw new ImageSpecException(document, $"{member} is missing");
        }

        if (list.Count > limit)
        {
            throw new ImageSpecException(document, $"{list.Count} {member} (at most {limit})");
        }

        for (int i = 0; i < list.Count; i++)
        {
            // A null where the schema wants an object would otherwise surface much later (CVE-2021-21285).
            if (list[i] is null)
            {
                throw new ImageSpecException(document, $"{member}[{i}] is null");
            }

            if (list[i].Size < 0)
            {
                throw new ImageSpecException(document, $"{member}[{i}] has the size {list[i].Size}");
            }
        }
    }

    private static string FirstLine(string text) => Printable(text.Split('\n')[0]);

    private static string Printable(string text) =>
        string.Concat(text.Take(300).Select(c => char.IsControl(c) ? '?' : c));
}
