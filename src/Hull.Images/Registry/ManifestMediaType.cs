using System.Text.Json;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>Decides what a fetched document is. Content-Type and the document's own <c>mediaType</c> must agree, so that
/// one digest cannot be a manifest to one reader and an index to another (CVE-2021-41190).</summary>
internal static class ManifestMediaType
{
    private const string SignedSchema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    private const string UnsignedSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <param name="contentType">The header without parameters; null where absent.</param>
    /// <param name="document">Names the document in errors.</param>
    /// <exception cref="RegistryException">Unsupported: schema 1 or another kind of document. Corrupt: the two disagree.</exception>
    public static string Determine(string? contentType, byte[] content, string document)
    {
        (string? own, int? schema) = Read(content, document);
        if (schema == 1 || contentType is SignedSchema1 or UnsignedSchema1)
        {
            throw new RegistryException(
                RegistryError.Unsupported,
                $"{document} is in the retired schema 1 format, which no current engine runs: push the image again with a current tool");
        }

        bool named = MediaTypes.IsManifest(contentType) || MediaTypes.IsIndex(contentType);
        if (named && own is not null && own != contentType)
        {
            throw new RegistryException(
                RegistryError.Corrupt,
                $"{document}: the registry calls it {contentType}, the document calls itself {RegistryFailure.Printable(own)}; "
                    + "refused as ambiguous");
        }

        string? type = named ? contentType : IsVague(contentType) ? own : contentType;
        return MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type)
            ? type!
            : throw new RegistryException(
                RegistryError.Unsupported,
                $"{document} is no image manifest: its media type is {(type is null ? "missing" : RegistryFailure.Printable(type))}");
    }

    /// <summary>What servers send that do not know the content.</summary>
    private static bool IsVague(string? contentType) =>
        contentType is null or "application/json" or "application/octet-stream" or "text/plain";

    private static (string? MediaType, int? Schema) Read(byte[] content, string document)
    {
        string? mediaType = null;
        int? schema = null;
        try
        {
            Utf8JsonReader reader = new(content, new JsonReaderOptions { MaxDepth = 32 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isType = reader.ValueTextEquals("mediaType"u8);
                bool isSchema = reader.ValueTextEquals("schemaVersion"u8);
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String)
                {
                    string text = reader.GetString()!;
                    if (mediaType is not null && mediaType != text)
                    {
                        throw new RegistryException(RegistryError.Corrupt, $"{document}: two different mediaType members");
                    }

                    mediaType = text;
                }
                else if (isSchema && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int number))
                {
                    schema = number;
                }

                reader.Skip();
            }
        }
        catch (JsonException e)
        {
            throw new RegistryException(RegistryError.Corrupt, $"{document}: not valid JSON (line {e.LineNumber + 1})", e);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair, or bytes that are no UTF-8: the reader passes over both until a name or text is looked at.
            throw new RegistryException(RegistryError.Corrupt, $"{document}: not valid JSON: a name or text in it is no Unicode", e);
        }

        return (mediaType, schema);
    }
}
