namespace Hull.Linux.Netlink;

/// <summary>IFF_ flags of netdevice(7).</summary>
[Flags]
public enum LinkFlags : uint
{
    None = 0,

    /// <summary>Switched on by the administrator.</summary>
    Up = 0x1,
    Broadcast = 0x2,
    Loopback = 0x8,
    PointToPoint = 0x10,
    Running = 0x40,
    NoArp = 0x80,
    Promiscuous = 0x100,
    Multicast = 0x1000,

    /// <summary>It has a carrier.</summary>
    LowerUp = 0x10000,
}
