using System.Text.Json;
using Hull.Images.Registry;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary>A manifest with where it is and what it runs on, in the shape of <c>docker manifest inspect --verbose</c>.</summary>
internal static class ManifestDocument
{
    public static byte[] Of(FoundManifest manifest) => Write(json => Append(json, manifest));

    /// <summary>An array for the manifests of an index; docker shows the only one alone.</summary>
    public static byte[] OfEach(IReadOnlyList<FoundManifest> manifests) => manifests is [{ } only] ? Of(only) : Write(json =>
    {
        json.WriteStartArray();
        foreach (FoundManifest manifest in manifests)
        {
            Append(json, manifest);
        }

        json.WriteEndArray();
    });

    private static byte[] Write(Action<Utf8JsonWriter> append)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            append(json);
        }

        return bytes.ToArray();
    }

    private static void Append(Utf8JsonWriter json, FoundManifest manifest)
    {
        json.WriteStartObject();
        json.WriteString("Ref", manifest.Reference);
        json.WritePropertyName("Descriptor");
        JsonSerializer.Serialize(json, manifest.Descriptor, ImageSpecJson.Default.Descriptor);
        json.WriteBase64String("Raw", manifest.Content);
        json.WritePropertyName(manifest.Descriptor.MediaType == MediaTypes.DockerManifest ? "SchemaV2Manifest" : "OCIManifest");
        json.WriteRawValue(manifest.Content);
        json.WriteEndObject();
    }
}
