using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hull.Cli.Output;

/// <summary>JSON for people.</summary>
internal static class IndentedJson
{
    /// <summary>The element over several lines, characters as they are.</summary>
    public static string Of(JsonElement element)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            element.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
