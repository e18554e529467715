using System.Buffers.Binary;

namespace Hull.Linux.Netlink;

/// <summary>A network link as the kernel describes it (RTM_NEWLINK of rtnetlink(7)).</summary>
public sealed record Link
{
    /// <summary>Its number within its namespace.</summary>
    public required int Index { get; init; }

    public required string Name { get; init; }

    public required LinkFlags Flags { get; init; }

    public bool IsUp => (Flags & LinkFlags.Up) != 0;

    /// <summary>Bytes.</summary>
    public int Mtu { get; init; }

    /// <summary>Null for links without an Ethernet address.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary><c>bridge</c>, <c>veth</c>, <c>macvlan</c>…; null for a device of hardware, and for loopback.</summary>
    public string? Kind { get; init; }

    /// <summary>The index of the bridge (or bond, vrf) that it is a port of.</summary>
    public int? Master { get; init; }

    /// <summary>The index of the other end of a veth, or of the link that a macvlan or ipvlan stands on; in the namespace that
    /// <see cref="LowerNamespace"/> tells.</summary>
    public int? Lower { get; init; }

    /// <summary>This namespace's number for the one of <see cref="Lower"/>; null where that is in this one.</summary>
    public int? LowerNamespace { get; init; }

    /// <summary>The free text that <c>ip link set … alias</c> writes.</summary>
    public string? Alias { get; init; }

    internal static Link? Parse(NetlinkMessage message)
    {
        if (message.Type != RouteMessage.NewLink)
        {
            return null;
        }

        // struct ifinfomsg: family, pad, type (16 bits), index, flags, change.
        Link link = new()
        {
            Index = BinaryPrimitives.ReadInt32LittleEndian(message.Payload[4..]),
            Flags = (LinkFlags)BinaryPrimitives.ReadUInt32LittleEndian(message.Payload[8..]),
            Name = "",
        };
        NetlinkReader attributes = message.Attributes(RouteMessage.LinkBytes);
        while (attributes.Next())
        {
            link = attributes.Type switch
            {
                LinkAttribute.Name => link with { Name = attributes.String },
                LinkAttribute.Address when attributes.Value.Length == MacAddress.Length => link with { Mac = new MacAddress(attributes.Value) },
                LinkAttribute.Mtu => link with { Mtu = attributes.Int32 },
                LinkAttribute.Master => link with { Master = attributes.Int32 },
                LinkAttribute.Lower => link with { Lower = attributes.Int32 },
                LinkAttribute.LowerNamespace when attributes.Int32 >= 0 => link with { LowerNamespace = attributes.Int32 },
                LinkAttribute.Alias => link with { Alias = attributes.String },
                LinkAttribute.Info => link with { Kind = KindOf(attributes.Nested) },
                _ => link,
            };
        }

        return link;
    }

    private static string? KindOf(NetlinkReader info)
    {
        while (info.Next())
        {
            if (info.Type == LinkAttribute.InfoKind)
            {
                return info.String;
            }
        }

        return null;
    }
}
