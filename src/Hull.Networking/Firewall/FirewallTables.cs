using System.Net;
using Hull.Linux.Netlink;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Networking.Firewall;

/// <summary>hull's two tables: their chains, sets and rules, which are the same whatever networks and containers there are. Those are
/// elements of the sets, so that the thousandth published port costs a packet no more than the first.</summary>
/// <remarks><code>
/// table inet hull                      hook, priority
///   raw             prerouting, -300   nothing from outside is for 127.0.0.0/8
///   prerouting      prerouting, -100   published ports: the destination becomes the container
///   output          output, -100       the same for what the host itself sends
///   forward         forward, 0         what may go where; jumps to hull-user
///   hull-user       (never touched)    the administrator's: "drop" here is before published ports are let in
///   postrouting     postrouting, 100   masquerade
/// table bridge hull
///   prerouting      prerouting, -300   a container sends from its own addresses only
/// </code>
/// Beside other firewalls (docker, firewalld, ufw): every table sees a packet, in order of priority, and one that drops it is enough.
/// So what is dropped here stays dropped, and "accept" here means no more than that hull has no objection: where another table
/// drops what is forwarded by default (docker's iptables do, <c>FORWARD policy DROP</c>), its administrator has to let hull's bridges
/// pass there. hull changes no table of others.</remarks>
internal static class FirewallTables
{
    public static readonly NftTable Inet = new(NftFamily.Inet, "hull");
    public static readonly NftTable Bridge = new(NftFamily.Bridge, "hull");

    /// <summary>The administrator's chain.</summary>
    public static readonly NftChain User = new(Inet, "hull-user");

    private static readonly NftChain Raw = new(Inet, "raw") { Hook = NftHook.Prerouting, Priority = -300 };
    private static readonly NftChain Prerouting = new(Inet, "prerouting") { Hook = NftHook.Prerouting, Type = "nat", Priority = -100 };
    private static readonly NftChain Output = new(Inet, "output") { Hook = NftHook.Output, Type = "nat", Priority = -100 };
    private static readonly NftChain Published = new(Inet, "published");
    private static readonly NftChain Forward = new(Inet, "forward") { Hook = NftHook.Forward };
    private static readonly NftChain Postrouting = new(Inet, "postrouting") { Hook = NftHook.Postrouting, Type = "nat", Priority = 100 };
    private static readonly NftChain BridgePrerouting = new(Bridge, "prerouting") { Hook = NftHook.Prerouting, Priority = -300 };
    private static readonly NftChain Endpoint = new(Bridge, "endpoint");

    /// <summary>hull's bridges.</summary>
    public static readonly NftSet Bridges = new(Inet, "bridges", NftType.LinkName);

    /// <summary>Families in which nothing is forwarded but from and to those.</summary>
    public static readonly NftSet Guarded = new(Inet, "guarded", NftType.NetworkProtocol);

    /// <summary>Those without a way out.</summary>
    public static readonly NftSet Internal = new(Inet, "internal", NftType.LinkName);

    /// <summary>From a bridge to itself, where its containers may reach each other.</summary>
    public static readonly NftSet Inside = new(Inet, "inside", NftType.LinkName, NftType.LinkName);

    /// <summary>A bridge and the addresses behind it.</summary>
    public static readonly NftSet Own4 = new(Inet, "own4", NftType.LinkName, NftType.Ipv4) { Intervals = true };
    public static readonly NftSet Own6 = new(Inet, "own6", NftType.LinkName, NftType.Ipv6) { Intervals = true };

    /// <summary>Sources that get an address of the host on their way out.</summary>
    public static readonly NftSet Masqueraded4 = new(Inet, "masqueraded4", NftType.Ipv4) { Intervals = true };
    public static readonly NftSet Masqueraded6 = new(Inet, "masqueraded6", NftType.Ipv6) { Intervals = true };

    /// <summary>Ports published on one address, and on all.</summary>
    public static readonly NftSet Ports4 = new(Inet, "ports4", NftType.Ipv4, NftType.Protocol, NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
    public static readonly NftSet Ports6 = new(Inet, "ports6", NftType.Ipv6, NftType.Protocol, NftType.Port) { Data = [NftType.Ipv6, NftType.Port] };
    public static readonly NftSet AnyPorts4 = new(Inet, "any-ports4", NftType.Protocol, NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
    public static readonly NftSet AnyPorts6 = new(Inet, "any-ports6", NftType.Protocol, NftType.Port) { Data = [NftType.Ipv6, NftType.Port] };

    /// <summary>Ports of bridges, with who may send from them.</summary>
    public static readonly NftSet BridgePorts = new(Bridge, "ports", NftType.LinkName);
    public static readonly NftSet Macs = new(Bridge, "macs", NftType.LinkName, NftType.Ethernet);
    public static readonly NftSet Senders4 = new(Bridge, "senders4", NftType.LinkName, NftType.Ethernet, NftType.Ipv4);
    public static readonly NftSet Senders6 = new(Bridge, "senders6", NftType.LinkName, NftType.Ethernet, NftType.Ipv6);

    public static NftChain[] Chains => [Raw, Published, Prerouting, Output, Forward, Postrouting, Endpoint, BridgePrerouting];

    private static readonly string[] ForwardedKinds = ["bridge", "tun", "wireguard"];

    public static NftSet[] Sets =>
    [
        Bridges, Guarded, Internal, Inside, Own4, Own6, Masqueraded4, Masqueraded6, Ports4, Ports6, AnyPorts4, AnyPorts6,
        BridgePorts, Macs, Senders4, Senders6,
    ];

    public static void AddRules(NftTransaction transaction)
    {
        // The bridges route 127.0.0.0/8 (route_localnet), so that the host reaches published ports at 127.0.0.1. Without this rule
        // neighbours and containers would reach what the host binds there (CVE-2020-8558, CVE-2025-54410).
        transaction.AddRule(Raw, Nft.IifName.IsNot(NftValue.LinkName("lo")), Nft.Ip.Daddr.Is(IPNetwork.Parse("127.0.0.0/8")), NftVerdict.Drop);

        // Only what is for the host itself: a packet that it routes for others keeps its destination (CVE-2025-67499).
        transaction.AddRule(Prerouting, Nft.FibDaddrType.Is(NftValue.AddressType(RouteKind.Local)), NftVerdict.Jump(Published));
        // ::1 stays the host's: an answer that comes back by a bridge is not routed to ::1 (rt6_need_strict; there is no route_localnet
        // for IPv6), so what serves ports at ::1 has to listen there.
        transaction.AddRule(Output, Nft.Ip6.Daddr.Is(IPAddress.IPv6Loopback), NftVerdict.Return);
        transaction.AddRule(Output, Nft.FibDaddrType.Is(NftValue.AddressType(RouteKind.Local)), NftVerdict.Jump(Published));
        transaction.AddRule(Published, Nft.Dnat(NftKey.Concat(Nft.Ip.Daddr, Nft.MetaL4Proto, Nft.Th.Dport).Map(Ports4)));
        transaction.AddRule(Published, Nft.Dnat(NftKey.Concat(Nft.Ip6.Daddr, Nft.MetaL4Proto, Nft.Th.Dport).Map(Ports6)));
        transaction.AddRule(Published, Nft.Nfproto(ipv6: false), Nft.Dnat(NftKey.Concat(Nft.MetaL4Proto, Nft.Th.Dport).Map(AnyPorts4)));
        transaction.AddRule(Published, Nft.Nfproto(ipv6: true), Nft.Dnat(NftKey.Concat(Nft.MetaL4Proto, Nft.Th.Dport).Map(AnyPorts6)));

        AddForwardRules(transaction);

        // From the host's loopback the answer could not come back.
        transaction.AddRule(Postrouting, Nft.OifName.In(Bridges), Nft.Ip.Saddr.Is(IPNetwork.Parse("127.0.0.0/8")), Nft.Masquerade);
        // A container that calls a port published by its own network, or by itself: the answer has to come by here.
        transaction.AddRule(Postrouting, Nft.CtStatus(NftCtStatus.Dnat), NftKey.Concat(Nft.OifName, Nft.Ip.Saddr).In(Own4), Nft.Masquerade);
        transaction.AddRule(Postrouting, Nft.CtStatus(NftCtStatus.Dnat), NftKey.Concat(Nft.OifName, Nft.Ip6.Saddr).In(Own6), Nft.Masquerade);
        transaction.AddRule(Postrouting, Nft.OifName.NotIn(Bridges), Nft.Ip.Saddr.In(Masqueraded4), Nft.Masquerade);
        transaction.AddRule(Postrouting, Nft.OifName.NotIn(Bridges), Nft.Ip6.Saddr.In(Masqueraded6), Nft.Masquerade);

        AddBridgeRules(transaction);
    }

    private static void AddForwardRules(NftTransaction transaction)
    {
        transaction.AddRule(Forward, Nft.IifName.NotIn(Bridges), Nft.OifName.NotIn(Bridges), Nft.MetaNfproto.NotIn(Guarded), NftVerdict.Accept);
        transaction.AddRule(Forward, Nft.CtState(NftCtState.Established | NftCtState.Related), NftVerdict.Accept);
        transaction.AddRule(Forward, NftVerdict.Jump(User));
        // Among others, where the host is a router because of hull alone: it was none for them before. Not those whose links say that
        // somebody made the host forward for them since: another engine's bridge, a machine's tap, a tunnel.
        foreach (NftValue kind in ForwardedKinds.Select(NftValue.LinkName))
        {
            transaction.AddRule(Forward, Nft.IifName.NotIn(Bridges), Nft.OifName.NotIn(Bridges), Nft.IifKind.Is(kind), NftVerdict.Accept);
            transaction.AddRule(Forward, Nft.IifName.NotIn(Bridges), Nft.OifName.NotIn(Bridges), Nft.OifKind.Is(kind), NftVerdict.Accept);
        }

        transaction.AddRule(Forward, Nft.IifName.NotIn(Bridges), Nft.OifName.NotIn(Bridges), NftVerdict.Drop);
        transaction.AddRule(Forward, NftKey.Concat(Nft.IifName, Nft.OifName).In(Inside), NftVerdict.Accept);
        transaction.AddRule(Forward, Nft.IifName.In(Internal), NftVerdict.Drop);
        transaction.AddRule(Forward, Nft.OifName.In(Internal), NftVerdict.Drop);
        transaction.AddRule(Forward, Nft.OifName.In(Bridges), Nft.CtStatus(NftCtStatus.Dnat), NftVerdict.Accept);
        // Another network's containers, and other hosts that have a route to the containers' addresses.
        transaction.AddRule(Forward, Nft.OifName.In(Bridges), NftVerdict.Drop);
    }

    private static void AddBridgeRules(NftTransaction transaction)
    {
        transaction.AddRule(BridgePrerouting, Nft.IifName.In(BridgePorts), NftVerdict.Jump(Endpoint));
        transaction.AddRule(Endpoint, NftKey.Concat(Nft.IifName, Nft.Ether.Saddr).NotIn(Macs), NftVerdict.Drop);
        transaction.AddRule(Endpoint, NftKey.Concat(Nft.IifName, Nft.Ether.Saddr, Nft.Ip.Saddr).NotIn(Senders4), NftVerdict.Drop);
        // 0.0.0.0: who asks whether an address is free (RFC 5227) says nothing of his own.
        transaction.AddRule(Endpoint, Nft.Arp.SaddrIp.IsNot(IPAddress.Any), NftKey.Concat(Nft.IifName, Nft.Arp.SaddrEther, Nft.Arp.SaddrIp).NotIn(Senders4), NftVerdict.Drop);
        // ::, likewise (RFC 4862), and the addresses that a link gives itself.
        transaction.AddRule(Endpoint, Nft.Ip6.Saddr.IsNot(IPAddress.IPv6Any), Nft.Ip6.Saddr.IsNot(IPNetwork.Parse("fe80::/10")),
            NftKey.Concat(Nft.IifName, Nft.Ether.Saddr, Nft.Ip6.Saddr).NotIn(Senders6), NftVerdict.Drop);
        // Router advertisements and redirects: a container is no router (CVE-2020-13401).
        transaction.AddRule(Endpoint, Nft.Icmp6.Type.Is(NftValue.IcmpType(134)), NftVerdict.Drop);
        transaction.AddRule(Endpoint, Nft.Icmp6.Type.Is(NftValue.IcmpType(137)), NftVerdict.Drop);
    }
}
