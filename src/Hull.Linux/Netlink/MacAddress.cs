using System.Globalization;

namespace Hull.Linux.Netlink;

/// <summary>The address of an Ethernet link, six bytes: <c>02:42:ac:11:00:02</c>.</summary>
public readonly record struct MacAddress
{
    public const int Length = 6;

    // The first byte on the wire is the highest of the six.
    private readonly ulong _value;

    /// <exception cref="ArgumentException">Not six bytes.</exception>
    public MacAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException($"a MAC address has {Length} bytes, not {bytes.Length}", nameof(bytes));
        }

        foreach (byte value in bytes)
        {
            _value = (_value << 8) | value;
        }
    }

    /// <summary>One that a link can have: neither a group's (the lowest bit of the first byte) nor zero.</summary>
    public bool IsUnicast => _value != 0 && ((_value >> 40) & 1) == 0;

    /// <summary>Reads six pairs of hexadecimal digits with colons, or with hyphens, between them.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length != (Length * 3) - 1)
        {
            return false;
        }

        for (int i = 0; i < Length; i++)
        {
            if (!byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i])
                || (i > 0 && (text[(i * 3) - 1] is not (':' or '-') || text[(i * 3) - 1] != text[2])))
            {
                return false;
            }
        }

        address = new MacAddress(bytes);
        return true;
    }

    /// <exception cref="FormatException">Not an address.</exception>
    public static MacAddress Parse(ReadOnlySpan<char> text) => TryParse(text, out MacAddress address)
        ? address : throw new FormatException($"\"{text}\" is not a MAC address; one looks like 02:42:ac:11:00:02");

    /// <summary>Six bytes in the order of the wire.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        for (int i = 0; i < Length; i++)
        {
            bytes[i] = (byte)(_value >> (40 - (i * 8)));
        }
    }

    public override string ToString() => string.Create(17, _value, static (text, value) =>
    {
        for (int i = 0; i < Length; i++)
        {
            ((byte)(value >> (40 - (i * 8)))).TryFormat(text[(i * 3)..], out _, "x2", CultureInfo.InvariantCulture);
            if (i < Length - 1)
            {
                text[(i * 3) + 2] = ':';
            }
        }
    });
}
