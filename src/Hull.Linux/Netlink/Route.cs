using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hull.Linux.Netlink;

/// <summary>A route (RTM_NEWROUTE of rtnetlink(7)).</summary>
public sealed record Route
{
    /// <summary>The table that the kernel asks for what no rule decides otherwise.</summary>
    public const int MainTable = 254;

    /// <summary><c>0.0.0.0/0</c> or <c>::/0</c> is the default route.</summary>
    public required IPNetwork Destination { get; init; }

    /// <summary>Null: the destination is on the link itself.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The index of the link; null lets the kernel find the one that leads to the gateway.</summary>
    public int? Index { get; init; }

    /// <summary>Which of its own addresses the host uses; null is the kernel's choice.</summary>
    public IPAddress? PreferredSource { get; init; }

    /// <summary>Of two routes to one destination the lower one serves; 0 is the kernel's own (1024 for IPv6).</summary>
    public int Metric { get; init; }

    public int Table { get; init; } = MainTable;

    public RouteKind Kind { get; init; } = RouteKind.Unicast;

    public bool IsDefault => Destination.PrefixLength == 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Kind == RouteKind.Unicast ? "" : $"{Kind} ")}{Destination}{(Gateway is null ? "" : $" via {Gateway}")}{(Index is null ? "" : $" on link {Index}")}");

    internal static Route? Parse(NetlinkMessage message)
    {
        if (message.Type != RouteMessage.NewRoute)
        {
            return null;
        }

        // struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type, flags.
        ReadOnlySpan<byte> rtmsg = message.Payload;
        if (rtmsg[0] is not (2 or 10))
        {
            // Multicast routes have families of their own.
            return null;
        }

        IPAddress destination = rtmsg[0] == 2 ? IPAddress.Any : IPAddress.IPv6Any;
        Route route = new() { Destination = default, Table = rtmsg[4], Kind = (RouteKind)rtmsg[7] };
        NetlinkReader attributes = message.Attributes(RouteMessage.RouteBytes);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case DestinationNumber:
                    destination = attributes.Address;
                    break;
                case LinkNumber:
                    route = route with { Index = attributes.Int32 };
                    break;
                case GatewayNumber:
                    route = route with { Gateway = attributes.Address };
                    break;
                case MetricNumber:
                    route = route with { Metric = attributes.Int32 };
                    break;
                case SourceNumber:
                    route = route with { PreferredSource = attributes.Address };
                    break;
                case TableNumber:
                    route = route with { Table = attributes.Int32 };
                    break;
            }
        }

        return route with { Destination = new IPNetwork(destination, rtmsg[1]) };
    }

    internal void Write(NetlinkWriter writer)
    {
        if (!IsDefault)
        {
            writer.PutAddress(DestinationNumber, Destination.BaseAddress);
        }

        if (Gateway is not null)
        {
            writer.PutAddress(GatewayNumber, Gateway);
        }

        if (Index is int index)
        {
            writer.PutUInt32(LinkNumber, (uint)index);
        }

        if (PreferredSource is not null)
        {
            writer.PutAddress(SourceNumber, PreferredSource);
        }

        if (Metric != 0)
        {
            writer.PutUInt32(MetricNumber, (uint)Metric);
        }

        writer.PutUInt32(TableNumber, (uint)Table);
    }

    /// <summary>A struct rtmsg of this route.</summary>
    internal void WriteFixedPart(Span<byte> rtmsg)
    {
        rtmsg.Clear();
        rtmsg[0] = Destination.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2;
        rtmsg[1] = (byte)Destination.PrefixLength;
        rtmsg[5] = ProtocolBoot;
        rtmsg[6] = Kind == RouteKind.Local ? ScopeHost
            : Gateway is null && Kind is RouteKind.Unicast or RouteKind.Broadcast ? ScopeLink : ScopeUniverse;
        rtmsg[7] = (byte)Kind;
    }

    private const ushort DestinationNumber = 1;
    private const ushort LinkNumber = 4;
    private const ushort GatewayNumber = 5;
    private const ushort MetricNumber = 6;
    private const ushort SourceNumber = 7;
    private const ushort TableNumber = 15;

    // RTPROT_BOOT, as ip(8) writes: routing daemons leave such routes alone as they do those of the administrator.
    private const byte ProtocolBoot = 3;
    private const byte ScopeUniverse = 0;
    private const byte ScopeLink = 253;
    private const byte ScopeHost = 254;
}
