namespace Hull.Linux.Netlink.Nftables;

/// <summary>What was done to a connection (IPS_ of nf_conntrack_common.h).</summary>
[Flags]
public enum NftCtStatus : uint
{
    Snat = 0x10,
    Dnat = 0x20,
}
