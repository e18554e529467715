using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Hull.Linux.Netlink;

/// <summary>An address of a link (RTM_NEWADDR of rtnetlink(7)).</summary>
/// <param name="Index">Of the link.</param>
/// <param name="PrefixLength">Bits of the address that name its network.</param>
public sealed record LinkAddress(int Index, IPAddress Address, int PrefixLength)
{
    /// <summary>Where the kernel's answer has it; RT_SCOPE_ of rtnetlink.h, 0 everywhere, 253 this link, 254 this host.</summary>
    public byte Scope { get; init; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{PrefixLength} of link {Index}");

    internal static LinkAddress? Parse(NetlinkMessage message)
    {
        if (message.Type != RouteMessage.NewAddress)
        {
            return null;
        }

        // struct ifaddrmsg: family, prefix length, flags, scope, index. IFA_ADDRESS is the other end on a point-to-point link; where
        // IFA_LOCAL is there too, that is ours.
        IPAddress? address = null;
        NetlinkReader attributes = message.Attributes(RouteMessage.AddressBytes);
        while (attributes.Next())
        {
            if (attributes.Type == LocalNumber || (attributes.Type == AddressNumber && address is null))
            {
                address = attributes.Address;
            }
        }

        return address is null ? null : new LinkAddress(BinaryPrimitives.ReadInt32LittleEndian(message.Payload[4..]), address, message.Payload[1])
        {
            Scope = message.Payload[3],
        };
    }

    internal const ushort AddressNumber = 1;
    internal const ushort LocalNumber = 2;
    internal const ushort BroadcastNumber = 4;
    internal const ushort FlagsNumber = 8;
}
