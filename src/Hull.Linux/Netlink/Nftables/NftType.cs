namespace Hull.Linux.Netlink.Nftables;

/// <summary>What a value is. The numbers are nft's own (datatype.h of nftables), which the kernel only keeps: by them <c>nft list</c>
/// knows how to print a set.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Name">As in <c>type ipv4_addr . inet_service</c>.</param>
public sealed record NftType(uint Id, int Length, string Name)
{
    public static readonly NftType NetworkProtocol = new(2, 1, "nf_proto");
    public static readonly NftType Ipv4 = new(7, 4, "ipv4_addr");
    public static readonly NftType Ipv6 = new(8, 16, "ipv6_addr");
    public static readonly NftType Ethernet = new(9, 6, "ether_addr");
    public static readonly NftType EtherType = new(10, 2, "ether_type");

    /// <summary>arp_op: 1 asks, 2 answers.</summary>
    public static readonly NftType ArpOperation = new(11, 2, "arp_op");
    public static readonly NftType Protocol = new(12, 1, "inet_proto");
    public static readonly NftType Port = new(13, 2, "inet_service");
    public static readonly NftType Icmp = new(14, 1, "icmp_type");
    public static readonly NftType Mark = new(19, 4, "mark");
    public static readonly NftType LinkIndex = new(20, 4, "iface_index");
    public static readonly NftType LinkType = new(21, 2, "iface_type");
    public static readonly NftType State = new(26, 4, "ct_state");
    public static readonly NftType Direction = new(27, 1, "ct_dir");
    public static readonly NftType Status = new(28, 4, "ct_status");
    public static readonly NftType Icmp6 = new(29, 1, "icmpv6_type");
    public static readonly NftType PacketType = new(31, 1, "pkt_type");
    public static readonly NftType AddressType = new(38, 4, "fib_addrtype");
    public static readonly NftType LinkName = new(41, 16, "ifname");

    /// <summary>In registers as the machine has its numbers; else as the network has them.</summary>
    internal bool IsHostOrder => this == Mark || this == LinkIndex || this == LinkName || this == LinkType || this == State || this == Status || this == AddressType;

    /// <summary>The bytes that it takes of a concatenation: whole registers of four.</summary>
    internal int Padded => NetlinkWriter.Align(Length);
}
