namespace Hull.Linux.Netlink;

/// <summary>What is done with packets to a destination (RTN_ of rtnetlink.h).</summary>
public enum RouteKind : byte
{
    Unicast = 1,

    /// <summary>To an address of this host.</summary>
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
    Throw = 9,
}
