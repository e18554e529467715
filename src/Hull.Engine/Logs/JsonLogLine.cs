using System.Buffers;
using System.Text;

namespace Hull.Engine.Logs;

/// <summary>One line of Docker's json-file format: <c>{"log":"…\n","stream":"stdout","time":"…"}</c> and a line feed.</summary>
/// <remarks>Escapes as Docker's own writer does: quotes, backslash, CR, LF, other control characters, the three characters
/// that HTML gives a meaning, and U+2028/2029. Bytes that are not UTF-8 become U+FFFD, one each.</remarks>
internal static class JsonLogLine
{
    /// <summary>Bytes that stand for themselves in the string.</summary>
    private static readonly SearchValues<byte> Plain = SearchValues.Create(PlainBytes());

    /// <summary>The most that <see cref="Write"/> writes for so many bytes of text: every byte as \u00XX.</summary>
    public static int MaximumLength(int text) => (text * 6) + 96;

    /// <param name="newLine">Adds a line feed to the text: the payload ended the line.</param>
    /// <param name="time">The time as text, quoted neither side.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> text, bool newLine, LogStream stream, ReadOnlySpan<byte> time)
    {
        int at = Append(destination, 0, "{\"log\":\""u8);
        at = Escape(destination, at, text);
        if (newLine)
        {
            at = Append(destination, at, "\\n"u8);
        }

        at = Append(destination, at, stream == LogStream.Stdout ? "\",\"stream\":\"stdout\",\"time\":\""u8 : "\",\"stream\":\"stderr\",\"time\":\""u8);
        at = Append(destination, at, time);
        return Append(destination, at, "\"}\n"u8);
    }

    private static int Escape(Span<byte> destination, int at, ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            int plain = text.IndexOfAnyExcept(Plain);
            plain = plain < 0 ? text.Length : plain;
            text[..plain].CopyTo(destination[at..]);
            at += plain;
            text = text[plain..];
            if (text.Length == 0)
            {
                break;
            }

            byte first = text[0];
            if (first < 0x80)
            {
                at = EscapeAscii(destination, at, first);
                text = text[1..];
                continue;
            }

            if (Rune.DecodeFromUtf8(text, out Rune rune, out int used) != OperationStatus.Done)
            {
                at = Append(destination, at, "\\ufffd"u8);
                text = text[1..];
            }
            else if (rune.Value is 0x2028 or 0x2029)
            {
                at = Append(destination, at, rune.Value == 0x2028 ? "\\u2028"u8 : "\\u2029"u8);
                text = text[used..];
            }
            else
            {
                text[..used].CopyTo(destination[at..]);
                at += used;
                text = text[used..];
            }
        }

        return at;
    }

    private static int EscapeAscii(Span<byte> destination, int at, byte value)
    {
        ReadOnlySpan<byte> hex = "0123456789abcdef"u8;
        switch (value)
        {
            case (byte)'"':
                return Append(destination, at, "\\\""u8);
            case (byte)'\\':
                return Append(destination, at, "\\\\"u8);
            case (byte)'\n':
                return Append(destination, at, "\\n"u8);
            case (byte)'\r':
                return Append(destination, at, "\\r"u8);
            default:
                at = Append(destination, at, "\\u00"u8);
                destination[at++] = hex[value >> 4];
                destination[at++] = hex[value & 0xf];
                return at;
        }
    }

    private static int Append(Span<byte> destination, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(destination[at..]);
        return at + text.Length;
    }

    private static byte[] PlainBytes()
    {
        List<byte> bytes = [];
        for (int value = 0x20; value < 0x80; value++)
        {
            if (value is not ('"' or '\\' or '<' or '>' or '&'))
            {
                bytes.Add((byte)value);
            }
        }

        return bytes.ToArray();
    }
}
