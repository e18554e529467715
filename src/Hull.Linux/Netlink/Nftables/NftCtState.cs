namespace Hull.Linux.Netlink.Nftables;

/// <summary>What connection tracking says of a packet (NF_CT_STATE_BIT).</summary>
[Flags]
public enum NftCtState : uint
{
    Invalid = 1,
    Established = 2,
    Related = 4,
    New = 8,
    Untracked = 0x40,
}
