using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hull.Linux.Netlink;

/// <summary>One direction of a tracked connection.</summary>
/// <param name="SourcePort">0 for protocols without ports.</param>
public sealed record ConntrackTuple(ProtocolType Protocol, IPAddress Source, int SourcePort, IPAddress Destination, int DestinationPort)
{
    private const ushort TupleAddresses = 1;
    private const ushort TupleProtocol = 2;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Protocol} {new IPEndPoint(Source, SourcePort)} to {new IPEndPoint(Destination, DestinationPort)}");

    internal static ConntrackTuple? Parse(NetlinkReader tuple)
    {
        IPAddress? source = null;
        IPAddress? destination = null;
        int protocol = 0;
        int sourcePort = 0;
        int destinationPort = 0;
        while (tuple.Next())
        {
            for (NetlinkReader part = tuple.Nested; part.Next();)
            {
                switch (tuple.Type, part.Type)
                {
                    // CTA_IP_V4_SRC and CTA_IP_V6_SRC, then the destinations.
                    case (TupleAddresses, 1 or 3):
                        source = part.Address;
                        break;
                    case (TupleAddresses, 2 or 4):
                        destination = part.Address;
                        break;
                    case (TupleProtocol, 1):
                        protocol = part.Byte;
                        break;
                    case (TupleProtocol, 2):
                        sourcePort = part.BigEndian16;
                        break;
                    case (TupleProtocol, 3):
                        destinationPort = part.BigEndian16;
                        break;
                }
            }
        }

        return source is null || destination is null ? null
            : new ConntrackTuple((ProtocolType)protocol, source, sourcePort, destination, destinationPort);
    }
}
