namespace Hull.Linux.Netlink.Nftables;

/// <summary>Which packets a table sees (NFPROTO_ of linux/netfilter.h).</summary>
public enum NftFamily : byte
{
    /// <summary>IPv4 and IPv6. NAT since Linux 5.2.</summary>
    Inet = 1,
    Ip = 2,
    Arp = 3,
    Netdev = 5,

    /// <summary>What passes through a bridge, whatever it is.</summary>
    Bridge = 7,
    Ip6 = 10,
}
