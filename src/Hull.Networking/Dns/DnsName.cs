using System.Net;

namespace Hull.Networking.Dns;

/// <summary>Names as messages carry them, labels with their length before them (RFC 1035 section 3.1), and as text.</summary>
internal static class DnsName
{
    /// <summary>Longest name, its lengths and the final zero counted (RFC 1035 section 2.3.4).</summary>
    public const int MaxWireBytes = 255;

    /// <summary>Longest name as text without the final dot.</summary>
    public const int MaxTextBytes = 253;

    private const int MaxLabelBytes = 63;

    /// <summary>Bytes of the name at the front, its final zero counted; 0 where none is there that uses no compression.</summary>
    public static int LengthUncompressed(ReadOnlySpan<byte> message)
    {
        int at = 0;
        while (at < message.Length && at < MaxWireBytes)
        {
            int label = message[at++];
            if (label == 0)
            {
                return at;
            }

            if (label > MaxLabelBytes)
            {
                return 0;
            }

            at += label;
        }

        return 0;
    }

    /// <summary>Bytes of the name at the front, which may end in a pointer (RFC 1035 section 4.1.4); 0 where none is there.</summary>
    /// <remarks>Pointers are stepped over, never followed: whatever they point to, this ends.</remarks>
    public static int LengthInPlace(ReadOnlySpan<byte> message)
    {
        int at = 0;
        while (at < message.Length && at < MaxWireBytes)
        {
            int label = message[at++];
            if (label == 0)
            {
                return at;
            }

            if (label > MaxLabelBytes)
            {
                return (label & 0xC0) == 0xC0 && at < message.Length ? at + 1 : 0;
            }

            at += label;
        }

        return 0;
    }

    /// <summary>A name in lower case with dots, and without the final one.</summary>
    /// <param name="wire">As <see cref="LengthUncompressed"/> found it.</param>
    /// <param name="text">At least <see cref="MaxTextBytes"/>.</param>
    /// <returns>Bytes of text; 0 for the root and for names no container can have: only letters, digits, <c>-</c> and <c>_</c> make
    /// a label, so the text is safe as one component of a path.</returns>
    public static int ToText(ReadOnlySpan<byte> wire, Span<byte> text)
    {
        int length = 0;
        for (int label = wire[0]; label != 0; wire = wire[(label + 1)..], label = wire[0])
        {
            if (length > 0)
            {
                text[length++] = (byte)'.';
            }

            foreach (byte c in wire.Slice(1, label))
            {
                if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'-' or (byte)'_'))
                {
                    return 0;
                }

                text[length++] = Lower(c);
            }
        }

        return length;
    }

    /// <summary>Writes text as a name.</summary>
    /// <returns>Bytes written; 0 where it is no name, or has no room.</returns>
    public static int FromText(ReadOnlySpan<byte> text, Span<byte> wire)
    {
        int length = 0;
        while (!text.IsEmpty)
        {
            int dot = text.IndexOf((byte)'.');
            ReadOnlySpan<byte> label = dot < 0 ? text : text[..dot];
            text = dot < 0 ? [] : text[(dot + 1)..];
            if (label.Length is 0 or > MaxLabelBytes || length + label.Length + 2 > Math.Min(wire.Length, MaxWireBytes))
            {
                return 0;
            }

            wire[length++] = (byte)label.Length;
            label.CopyTo(wire[length..]);
            length += label.Length;
        }

        if (length == 0)
        {
            return 0;
        }

        wire[length++] = 0;
        return length;
    }

    /// <summary>Whether two names are the same but for the case of ASCII letters (RFC 4343).</summary>
    /// <remarks>Lengths of labels are at most 63 and so never taken for letters.</remarks>
    public static bool AreEqual(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (Lower(left[i]) != Lower(right[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The address that a name below <c>in-addr.arpa</c> or <c>ip6.arpa</c> stands for (RFC 1035 section 3.5, RFC 3596
    /// section 2.5).</summary>
    /// <param name="name">Text in lower case.</param>
    public static IPAddress? ReverseAddress(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> suffix4 = ".in-addr.arpa"u8;
        ReadOnlySpan<byte> suffix6 = ".ip6.arpa"u8;
        Span<byte> address = stackalloc byte[16];
        return name.EndsWith(suffix4) && ReadOctets(name[..^suffix4.Length], address[..4]) ? new IPAddress(address[..4])
            : name.EndsWith(suffix6) && ReadNibbles(name[..^suffix6.Length], address) ? new IPAddress(address)
            : null;
    }

    /// <summary>Decimal octets, the last one first.</summary>
    private static bool ReadOctets(ReadOnlySpan<byte> text, Span<byte> address)
    {
        for (int i = address.Length - 1; i >= 0; i--)
        {
            int dot = text.IndexOf((byte)'.');
            ReadOnlySpan<byte> octet = dot < 0 ? text : text[..dot];
            if (dot < 0 != (i == 0) || octet.Length is 0 or > 3 || (octet[0] == '0' && octet.Length > 1)
                || !byte.TryParse(octet, System.Globalization.NumberStyles.None, null, out address[i]))
            {
                return false;
            }

            text = text[(dot + 1)..];
        }

        return true;
    }

    /// <summary>32 hexadecimal digits with dots between them, the last one first.</summary>
    private static bool ReadNibbles(ReadOnlySpan<byte> text, Span<byte> address)
    {
        if (text.Length != 63)
        {
            return false;
        }

        for (int i = 0; i < 32; i++)
        {
            char digit = (char)text[i * 2];
            if (!char.IsAsciiHexDigit(digit) || (i < 31 && text[(i * 2) + 1] != '.'))
            {
                return false;
            }

            int value = char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
            int at = 15 - (i / 2);
            address[at] = (byte)(i % 2 == 0 ? value : address[at] | (value << 4));
        }

        return true;
    }

    private static byte Lower(byte c) => c is >= (byte)'A' and <= (byte)'Z' ? (byte)(c | 0x20) : c;
}
