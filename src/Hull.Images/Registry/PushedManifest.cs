using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>The manifest that a registry gets: the stored one byte for byte, or with the layers that were compressed for it.</summary>
internal static class PushedManifest
{
    /// <summary>The stored manifest with other layers. Equal layers leave it as it is; members that hull does not know stay.</summary>
    /// <param name="layers">As many as the manifest has, in its order.</param>
    public static byte[] With(byte[] stored, IReadOnlyList<Descriptor> before, IReadOnlyList<Descriptor> layers)
    {
        if (before.Select(layer => layer.Digest).SequenceEqual(layers.Select(layer => layer.Digest)))
        {
            return stored;
        }

        JsonNode manifest = JsonNode.Parse(stored)!;
        JsonArray members = manifest["layers"]!.AsArray();
        for (int i = 0; i < layers.Count; i++)
        {
            members[i]!["mediaType"] = layers[i].MediaType;
            members[i]!["digest"] = layers[i].Digest.ToString();
            members[i]!["size"] = layers[i].Size;
        }

        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes, new JsonWriterOptions { Encoder = MinimalJsonEncoder.Instance }))
        {
            manifest.WriteTo(writer);
        }

        return bytes.ToArray();
    }

    /// <summary>The gzip form of a layer's media type; null where the layer is compressed, or no plain tar.</summary>
    public static string? Compressed(string? mediaType) => mediaType switch
    {
        MediaTypes.OciLayer => MediaTypes.OciLayerGzip,
        MediaTypes.DockerLayer => MediaTypes.DockerLayerGzip,
        _ => null,
    };

    /// <summary>Layers that are not to leave for another registry (image-spec layer.md, "Non-Distributable Layers"; docker's
    /// foreign layers), and say where else they are.</summary>
    public static bool IsForeign(Descriptor layer) =>
        layer.Urls is { Count: > 0 }
        && (layer.MediaType == MediaTypes.DockerForeignLayerGzip
            || layer.MediaType!.StartsWith(MediaTypes.OciForeignLayer, StringComparison.Ordinal));
}
