namespace Hull.Linux.Netlink.Nftables;

/// <summary>Where a base chain stands in a packet's way.</summary>
public enum NftHook
{
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}
