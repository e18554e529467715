using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hull.Oci.ImageSpec;

/// <summary>Reads a digest only if it is valid, so that no path or URL is ever made of another (CVE-2024-3727).</summary>
public sealed class DigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return Digest.TryParse(text, out Digest digest)
            ? digest
            : throw new JsonException("not a digest: expected sha256: and 64 lower-case hexadecimal digits");
    }

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
