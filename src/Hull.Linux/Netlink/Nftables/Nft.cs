namespace Hull.Linux.Netlink.Nftables;

/// <summary>The words of the nft language for rules, to be read as nft is: <c>[Nft.Ip.Daddr.Is(address), Nft.Tcp.Dport.Is(port),
/// Nft.Counter, NftVerdict.Accept]</c> is <c>ip daddr ADDRESS tcp dport PORT counter accept</c>.</summary>
public static partial class Nft
{
    private const uint LinkLayer = 0;
    private const uint NetworkLayer = 1;
    private const uint TransportLayer = 2;

    public static NftKey Iif { get; } = Meta("iif", NftType.LinkIndex, 4);

    public static NftKey Oif { get; } = Meta("oif", NftType.LinkIndex, 5);

    public static NftKey IifName { get; } = Meta("iifname", NftType.LinkName, 6);

    public static NftKey OifName { get; } = Meta("oifname", NftType.LinkName, 7);

    /// <summary>The kind of link as ip(8) names it: bridge, tun, vlan. Of a link without one, as a network card, no comparison is true (Linux 5.6).</summary>
    public static NftKey IifKind { get; } = Meta("meta iifkind", NftType.LinkName, 26);

    /// <inheritdoc cref="IifKind"/>
    public static NftKey OifKind { get; } = Meta("meta oifkind", NftType.LinkName, 27);

    public static NftKey MetaMark { get; } = Meta("meta mark", NftType.Mark, 3);

    public static NftKey MetaL4Proto { get; } = Meta("meta l4proto", NftType.Protocol, 16);

    /// <summary>The kind of packet in a bridge table: ip, ip6, arp.</summary>
    public static NftKey MetaProtocol { get; } = Meta("meta protocol", NftType.EtherType, 1);

    /// <summary>IPv4 or IPv6.</summary>
    public static NftKey MetaNfproto { get; } = Meta("meta nfproto", NftType.NetworkProtocol, 15);

    public static NftKey CtMark { get; } = Ct("ct mark", NftType.Mark, 3);

    public static NftKey CtDirection { get; } = Ct("ct direction", NftType.Direction, 1);

    /// <summary>What the host's routes make of the destination: <c>fib daddr type local</c>.</summary>
    public static NftKey FibDaddrType { get; } = new("fib daddr type", NftType.AddressType, (writer, register) =>
        writer.Numbers("fib", (1, register), (2, 3 /* NFT_FIB_RESULT_ADDRTYPE */), (3, 2 /* NFTA_FIB_F_DADDR */)));

    /// <inheritdoc cref="FibDaddrType"/>
    public static NftKey FibSaddrType { get; } = new("fib saddr type", NftType.AddressType, (writer, register) =>
        writer.Numbers("fib", (1, register), (2, 3 /* NFT_FIB_RESULT_ADDRTYPE */), (3, 1 /* NFTA_FIB_F_SADDR */)));

    private static NftKey MetaIiftype { get; } = Meta("meta iiftype", NftType.LinkType, 8);

    /// <summary>One of these states.</summary>
    public static NftStatement CtState(NftCtState states) => Ct("ct state", NftType.State, 0).HasAny((uint)states, Words(states));

    /// <summary>One of these.</summary>
    public static NftStatement CtStatus(NftCtStatus status) => Ct("ct status", NftType.Status, 2).HasAny((uint)status, Words(status));

    /// <summary>Only IPv4, or only IPv6.</summary>
    public static NftStatement Nfproto(bool ipv6) => MetaNfproto.Is(NftValue.NetworkProtocol(ipv6));

    public static class Ether
    {
        public static NftKey Saddr { get; } = Field("ether saddr", NftType.Ethernet, LinkLayer, 6, RequireEthernet);

        public static NftKey Daddr { get; } = Field("ether daddr", NftType.Ethernet, LinkLayer, 0, RequireEthernet);
    }

    public static class Arp
    {
        public static NftKey Operation { get; } = Field("arp operation", NftType.ArpOperation, NetworkLayer, 6, RequireArp);

        public static NftKey SaddrEther { get; } = Field("arp saddr ether", NftType.Ethernet, NetworkLayer, 8, RequireArp);

        public static NftKey SaddrIp { get; } = Field("arp saddr ip", NftType.Ipv4, NetworkLayer, 14, RequireArp);

        public static NftKey DaddrIp { get; } = Field("arp daddr ip", NftType.Ipv4, NetworkLayer, 24, RequireArp);
    }

    public static class Ip
    {
        public static NftKey Saddr { get; } = Field("ip saddr", NftType.Ipv4, NetworkLayer, 12, RequireIpv4);

        public static NftKey Daddr { get; } = Field("ip daddr", NftType.Ipv4, NetworkLayer, 16, RequireIpv4);
    }

    public static class Ip6
    {
        public static NftKey Saddr { get; } = Field("ip6 saddr", NftType.Ipv6, NetworkLayer, 8, RequireIpv6);

        public static NftKey Daddr { get; } = Field("ip6 daddr", NftType.Ipv6, NetworkLayer, 24, RequireIpv6);
    }

    public static class Tcp
    {
        public static NftKey Sport { get; } = Field("tcp sport", NftType.Port, TransportLayer, 0, RequireTcp);

        public static NftKey Dport { get; } = Field("tcp dport", NftType.Port, TransportLayer, 2, RequireTcp);
    }

    public static class Udp
    {
        public static NftKey Sport { get; } = Field("udp sport", NftType.Port, TransportLayer, 0, RequireUdp);

        public static NftKey Dport { get; } = Field("udp dport", NftType.Port, TransportLayer, 2, RequireUdp);
    }

    /// <summary>Ports of whatever transport protocol the packet has; the rule should look at <see cref="MetaL4Proto"/> too.</summary>
    public static class Th
    {
        public static NftKey Sport { get; } = Field("th sport", NftType.Port, TransportLayer, 0, null);

        public static NftKey Dport { get; } = Field("th dport", NftType.Port, TransportLayer, 2, null);
    }

    public static class Icmp6
    {
        public static NftKey Type { get; } = Field("icmpv6 type", NftType.Icmp6, TransportLayer, 0, writer =>
            writer.Require(MetaL4Proto.Is(NftValue.Protocol(System.Net.Sockets.ProtocolType.IcmpV6))));
    }

    private static NftKey Meta(string text, NftType type, uint number) =>
        new(text, type, (writer, register) => writer.Numbers("meta", (2, number), (1, register)));

    private static NftKey Ct(string text, NftType type, uint number) => new(text, type, (writer, register) => writer.Write("ct", attributes =>
    {
        attributes.PutBigEndian32(2, number);
        attributes.PutBigEndian32(1, register);
    }));

    private static NftKey Field(string text, NftType type, uint place, uint offset, Action<NftRuleWriter>? require) =>
        new(text, type, (writer, register) => writer.Payload(register, place, offset, (uint)type.Length), require);

    private static void RequireEthernet(NftRuleWriter writer)
    {
        if (writer.Family is not (NftFamily.Bridge or NftFamily.Netdev))
        {
            writer.Require(MetaIiftype.Is(NftValue.EthernetLink()));
        }
    }

    private static void RequireArp(NftRuleWriter writer) => RequireNetwork(writer, NftFamily.Arp, 0x0806);

    private static void RequireIpv4(NftRuleWriter writer) => RequireNetwork(writer, NftFamily.Ip, 0x0800);

    private static void RequireIpv6(NftRuleWriter writer) => RequireNetwork(writer, NftFamily.Ip6, 0x86dd);

    private static void RequireNetwork(NftRuleWriter writer, NftFamily family, ushort etherType)
    {
        if (writer.Family == NftFamily.Inet)
        {
            writer.Require(Nfproto(family == NftFamily.Ip6));
        }
        else if (writer.Family is NftFamily.Bridge or NftFamily.Netdev)
        {
            writer.Require(MetaProtocol.Is(NftValue.EtherType(etherType)));
        }
    }

    private static void RequireTcp(NftRuleWriter writer) =>
        writer.Require(MetaL4Proto.Is(NftValue.Protocol(System.Net.Sockets.ProtocolType.Tcp)));

    private static void RequireUdp(NftRuleWriter writer) =>
        writer.Require(MetaL4Proto.Is(NftValue.Protocol(System.Net.Sockets.ProtocolType.Udp)));

    private static string Words<T>(T flags)
        where T : struct, Enum => flags.ToString().Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
}
