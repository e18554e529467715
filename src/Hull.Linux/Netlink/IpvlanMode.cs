namespace Hull.Linux.Netlink;

/// <summary>Where ipvlan looks at packets (IPVLAN_MODE_ of if_link.h).</summary>
public enum IpvlanMode : ushort
{
    /// <summary>Ethernet: multicast and broadcast work. docker's default.</summary>
    L2 = 0,

    /// <summary>Routed by the parent's namespace.</summary>
    L3 = 1,

    /// <summary>As L3, past the parent's netfilter hooks.</summary>
    L3S = 2,
}
