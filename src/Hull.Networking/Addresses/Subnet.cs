using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hull.Oci;

namespace Hull.Networking.Addresses;

/// <summary>A range of addresses with a common prefix, of IPv4 or IPv6; its own bits below the prefix are zero.</summary>
public readonly record struct Subnet
{
    private readonly UInt128 _first;

    private Subnet(UInt128 first, int prefix, bool isIPv6)
    {
        _first = first;
        PrefixLength = prefix;
        IsIPv6 = isIPv6;
    }

    public bool IsIPv6 { get; }

    public int PrefixLength { get; }

    /// <summary>Bits of an address of this family.</summary>
    public int Width => IsIPv6 ? 128 : 32;

    /// <summary>The address all of whose bits below the prefix are zero.</summary>
    public IPAddress Base => ToAddress(_first, IsIPv6);

    /// <summary>How many addresses there are; of ::/0 one less than there are.</summary>
    public UInt128 Size => Width == PrefixLength + 128 ? UInt128.MaxValue : UInt128.One << (Width - PrefixLength);

    /// <summary>The subnet of a prefix length that an address is in.</summary>
    public static Subnet Around(IPAddress address, int prefix)
    {
        bool isIPv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        int width = isIPv6 ? 128 : 32;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)prefix, (uint)width, nameof(prefix));
        UInt128 below = prefix == 0 ? UInt128.MaxValue : (UInt128.One << (width - prefix)) - 1;
        return new Subnet(ToNumber(address) & ~below, prefix, isIPv6);
    }

    /// <summary><c>10.0.0.0/8</c>, <c>fd00::/64</c>.</summary>
    /// <exception cref="NetworkException">Invalid: not a subnet, or with bits below its prefix, in which case the right one is named.</exception>
    public static Subnet Parse(string text, string flag = "subnet")
    {
        if (!TryParseAddress(text, out IPAddress? address, out int prefix))
        {
            throw NetworkException.Invalid($"invalid {flag} '{FlagText.Printable(text)}': expected ADDRESS/LENGTH, as in 172.28.0.0/16 or fd00:28::/64");
        }

        Subnet subnet = Around(address, prefix);
        return subnet.Base.Equals(address)
            ? subnet
            : throw NetworkException.Invalid($"invalid {flag} {text}: it should be {subnet}");
    }

    /// <summary>An address with a prefix length, which need not be a subnet's base.</summary>
    public static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address, out int prefix)
    {
        address = null;
        prefix = 0;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && TryParseIP(text[..slash], out address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix)
            && prefix <= (address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32);
    }

    /// <summary>An address as people write one: four decimal numbers, or IPv6 without a zone. IPAddress.TryParse also takes <c>1</c>, <c>0x7f.1</c>.</summary>
    public static bool TryParseIP(string text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6
            ? !text.Contains('%', StringComparison.Ordinal) && !text.Contains('[', StringComparison.Ordinal)
            : address.ToString() == text);

    public bool Contains(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetworkV6) == IsIPv6 && Around(address, PrefixLength)._first == _first;

    public bool Contains(Subnet other) => other.IsIPv6 == IsIPv6 && other.PrefixLength >= PrefixLength && Contains(other.Base);

    public bool Overlaps(Subnet other) => Contains(other) || other.Contains(this);

    /// <summary>The address so many places behind <see cref="Base"/>.</summary>
    public IPAddress At(UInt128 offset) => ToAddress(_first + offset, IsIPv6);

    /// <summary>The place of an address that is in the subnet.</summary>
    public UInt128 OffsetOf(IPAddress address) => ToNumber(address) - _first;

    /// <summary>The subnet so many of its own size further on.</summary>
    public Subnet Next(int steps = 1) => new(_first + (Size * (UInt128)steps), PrefixLength, IsIPv6);

    /// <summary>Address and prefix length of a host in this subnet.</summary>
    public string WithPrefix(IPAddress address) => string.Create(CultureInfo.InvariantCulture, $"{address}/{PrefixLength}");

    public override string ToString() => WithPrefix(Base);

    private static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static IPAddress ToAddress(UInt128 number, bool isIPv6)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(isIPv6 ? bytes : bytes[12..]);
    }
}
