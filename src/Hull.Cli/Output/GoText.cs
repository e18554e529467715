using System.Text;

namespace Hull.Cli.Output;

/// <summary>Strings as Go's strconv and docker's formatter write them.</summary>
internal static class GoText
{
    /// <summary>In double quotes, with escapes for quotes, backslashes and what cannot be printed.</summary>
    public static string Quote(string text)
    {
        StringBuilder builder = new(text.Length + 2);
        builder.Append('"');
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => builder.Append("\\\""),
                '\\' => builder.Append("\\\\"),
                '\a' => builder.Append("\\a"),
                '\b' => builder.Append("\\b"),
                '\f' => builder.Append("\\f"),
                '\n' => builder.Append("\\n"),
                '\r' => builder.Append("\\r"),
                '\t' => builder.Append("\\t"),
                '\v' => builder.Append("\\v"),
                < 0x20 or 0x7f => builder.Append("\\x").Append(rune.Value.ToString("x2", null)),
                _ => builder.Append(rune.ToString()),
            };
        }

        return builder.Append('"').ToString();
    }

    /// <summary>At most <paramref name="length"/> characters, the last an ellipsis where something was cut.</summary>
    public static string Ellipsis(string text, int length) =>
        text.Length <= length ? text : length <= 1 ? text[..length] : text[..(length - 1)] + "…";
}
