namespace Hull.Linux.Netlink;

/// <summary>Message types of rtnetlink(7) (include/uapi/linux/rtnetlink.h) and the sizes of their fixed parts.</summary>
internal static class RouteMessage
{
    public const ushort NewLink = 16;
    public const ushort DeleteLink = 17;
    public const ushort GetLink = 18;
    public const ushort NewAddress = 20;
    public const ushort DeleteAddress = 21;
    public const ushort GetAddress = 22;
    public const ushort NewRoute = 24;
    public const ushort DeleteRoute = 25;
    public const ushort GetRoute = 26;

    /// <summary>struct ifinfomsg.</summary>
    public const int LinkBytes = 16;

    /// <summary>struct ifaddrmsg.</summary>
    public const int AddressBytes = 8;

    /// <summary>struct rtmsg.</summary>
    public const int RouteBytes = 12;
}

/// <summary>IFLA_ numbers (include/uapi/linux/if_link.h).</summary>
internal static class LinkAttribute
{
    public const ushort Address = 1;
    public const ushort Name = 3;
    public const ushort Mtu = 4;
    public const ushort Lower = 5;
    public const ushort Master = 10;
    public const ushort Info = 18;
    public const ushort Alias = 20;
    public const ushort NamespaceDescriptor = 28;
    public const ushort ExtendedMask = 29;
    public const ushort LowerNamespace = 37;

    public const ushort InfoKind = 1;
    public const ushort InfoData = 2;
    public const ushort InfoSlaveKind = 4;
    public const ushort InfoSlaveData = 5;
}
