using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Hull.Oci.Tests;

public sealed class MinimalJsonEncoderTests
{
    [Fact]
    public void Write_EveryCodeUnit_IsReadBack()
    {
        for (int unit = 0; unit <= char.MaxValue; unit++)
        {
            string text = $"a{(char)unit}b";
            // Half a surrogate pair is no text: it becomes the replacement character, as in the platform's encoders.
            Assert.Equal(char.IsSurrogate((char)unit) ? "a\uFFFDb" : text, JsonDocument.Parse(Written(text)).RootElement.GetString());
        }
    }

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    [InlineData("\u001f\n", "\"\\u001F\\u000A\"")]
    [InlineData("é 漢 😀 <&>'+\u007f\u2028", "\"é 漢 😀 <&>'+\u007f\u2028\"")]
    public void Write_Text_EscapesOnlyWhatJsonDemands(string text, string expected) => Assert.Equal(expected, Encoding.UTF8.GetString(Written(text)));

    [Fact]
    public void Write_LongText_IsWhole()
    {
        string text = string.Concat(Enumerable.Repeat("\"é\n😀", 2000));

        Assert.Equal(text, JsonDocument.Parse(Written(text)).RootElement.GetString());
    }

    private static byte[] Written(string text)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = MinimalJsonEncoder.Instance }))
        {
            json.WriteStringValue(text);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
