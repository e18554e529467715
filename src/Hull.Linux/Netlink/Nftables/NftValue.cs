using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hull.Linux.Netlink.Nftables;

/// <summary>A value to compare with, or to keep in a set: its bytes as the kernel has them in registers, and its text as nft writes it.</summary>
public sealed class NftValue
{
    private readonly byte[] _bytes;
    private readonly byte[] _last;

    private NftValue(byte[] bytes, string text, byte[]? last = null)
    {
        _bytes = bytes;
        _last = last ?? bytes;
        Text = text;
    }

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The last value of a range; of a single value the same.</summary>
    internal ReadOnlySpan<byte> Last => _last;

    internal string Text { get; }

    public static implicit operator NftValue(IPAddress address) => Address(address);

    public static implicit operator NftValue(MacAddress address) => Ethernet(address);

    public static NftValue Address(IPAddress address) => new(address.GetAddressBytes(), address.ToString());

    public static NftValue Ethernet(MacAddress address)
    {
        byte[] bytes = new byte[MacAddress.Length];
        address.CopyTo(bytes);
        return new NftValue(bytes, address.ToString());
    }

    public static NftValue Port(int port) => BigEndian16(checked((ushort)port), port.ToString(CultureInfo.InvariantCulture));

    /// <summary>Every address of a network, in a set of intervals.</summary>
    public static NftValue Network(IPNetwork network)
    {
        byte[] last = network.BaseAddress.GetAddressBytes();
        for (int bit = network.PrefixLength; bit < last.Length * 8; bit++)
        {
            last[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return new NftValue(network.BaseAddress.GetAddressBytes(), network.ToString(), last);
    }

    /// <summary>Ports from the first to the last, in a set of intervals.</summary>
    public static NftValue Ports(int first, int last)
    {
        NftValue start = Port(first);
        NftValue end = Port(last);
        return new NftValue(start._bytes, $"{start}-{end}", end._bytes);
    }

    /// <summary>tcp, udp, sctp, icmp; others by their number.</summary>
    public static NftValue Protocol(ProtocolType protocol) => new([(byte)protocol], protocol switch
    {
        ProtocolType.Tcp => "tcp",
        ProtocolType.Udp => "udp",
        ProtocolType.Icmp => "icmp",
        ProtocolType.IcmpV6 => "ipv6-icmp",
        Sctp => "sctp",
        _ => ((byte)protocol).ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>A link's name: 16 bytes, zero beyond its end.</summary>
    /// <exception cref="ArgumentException">Not a link's name.</exception>
    public static NftValue LinkName(string name)
    {
        if (!Rtnetlink.IsName(name))
        {
            throw new ArgumentException($"\"{name}\" is not a link's name", nameof(name));
        }

        byte[] bytes = new byte[NftType.LinkName.Length];
        Encoding.UTF8.GetBytes(name, bytes);
        return new NftValue(bytes, $"\"{name}\"");
    }

    public static NftValue LinkIndex(int index) => Native32((uint)index, index.ToString(CultureInfo.InvariantCulture));

    public static NftValue Mark(uint mark) => Native32(mark, string.Create(CultureInfo.InvariantCulture, $"0x{mark:x8}"));

    /// <summary>What kind of address the host's routes make of it: local, broadcast…</summary>
    public static NftValue AddressType(RouteKind kind) => Native32((uint)kind, kind.ToString().ToLowerInvariant());

    /// <summary>Types of icmp and icmpv6 messages, by number.</summary>
    public static NftValue IcmpType(byte type) => new([type], type.ToString(CultureInfo.InvariantCulture));

    /// <summary>1 asks who has an address, 2 answers.</summary>
    public static NftValue ArpOperation(ushort operation) => BigEndian16(operation, operation switch
    {
        1 => "request",
        2 => "reply",
        _ => operation.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>ip, ip6, arp: 0x0800, 0x86dd, 0x0806.</summary>
    public static NftValue EtherType(ushort type) => BigEndian16(type, type switch
    {
        0x0800 => "ip",
        0x86dd => "ip6",
        0x0806 => "arp",
        _ => string.Create(CultureInfo.InvariantCulture, $"0x{type:x4}"),
    });

    /// <summary>Which direction of a connection a packet goes.</summary>
    public static NftValue Direction(bool reply) => new([reply ? (byte)1 : (byte)0], reply ? "reply" : "original");

    /// <summary>Several values as one, in a set whose keys are a concatenation.</summary>
    public static NftValue Concat(params ReadOnlySpan<NftValue> parts)
    {
        int length = 0;
        foreach (NftValue part in parts)
        {
            length += NetlinkWriter.Align(part._bytes.Length);
        }

        byte[] bytes = new byte[length];
        byte[] last = new byte[length];
        StringBuilder text = new();
        int at = 0;
        foreach (NftValue part in parts)
        {
            part._bytes.CopyTo(bytes, at);
            part._last.CopyTo(last, at);
            at += NetlinkWriter.Align(part._bytes.Length);
            text.Append(text.Length == 0 ? "" : " . ").Append(part.Text);
        }

        return new NftValue(bytes, text.ToString(), last);
    }

    public override string ToString() => Text;

    public static NftValue NetworkProtocol(bool ipv6) => ipv6 ? new([10], "ipv6") : new([2], "ipv4");

    internal static NftValue Native32(uint value, string text)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return new NftValue(bytes, text);
    }

    /// <summary>ARPHRD_ETHER, which the kernel keeps in its own byte order.</summary>
    internal static NftValue EthernetLink() => new([1, 0], "ether");

    /// <summary>The first bytes of a link's name.</summary>
    internal static NftValue LinkNamePrefix(string prefix) => new(Encoding.UTF8.GetBytes(prefix), $"\"{prefix}*\"");

    private static NftValue BigEndian16(ushort value, string text)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return new NftValue(bytes, text);
    }

    /// <summary>IPPROTO_SCTP, which the platform does not name.</summary>
    public const ProtocolType Sctp = (ProtocolType)132;
}
