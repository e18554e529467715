using System.Net.Sockets;

namespace Hull.Linux.Netlink;

public sealed partial class Rtnetlink
{
    /// <summary>Adds a route.</summary>
    /// <returns>False where there is one to this destination already, with the same metric and table.</returns>
    /// <exception cref="SyscallException">ENETUNREACH where no link leads to the gateway; ENETDOWN where the link is down.</exception>
    public bool AddRoute(Route route)
    {
        using NetlinkWriter request = Request(RouteMessage.NewRoute, Change | NetlinkFlags.Create | NetlinkFlags.Exclusive, route);
        return _socket.TryExecute(request, out string? text) switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            Errno errno => throw new SyscallException("RTM_NEWROUTE", route.ToString(), errno, text),
        };
    }

    /// <summary>Adds a route, in the place of one to this destination with the same metric and table; packets meet the one or the other.</summary>
    /// <exception cref="SyscallException">As <see cref="AddRoute"/>.</exception>
    public void SetRoute(Route route)
    {
        using NetlinkWriter request = Request(RouteMessage.NewRoute, Change | NetlinkFlags.Create | NetlinkFlags.Replace, route);
        _socket.Execute(request, "RTM_NEWROUTE", route.ToString());
    }

    /// <summary>Removes a route. False where there is none such.</summary>
    public bool DeleteRoute(Route route)
    {
        using NetlinkWriter request = Request(RouteMessage.DeleteRoute, Change, route);
        return _socket.TryExecute(request, out string? text) switch
        {
            Errno.None => true,
            Errno.ESRCH or Errno.ENODEV => false,
            Errno errno => throw new SyscallException("RTM_DELROUTE", route.ToString(), errno, text),
        };
    }

    /// <summary>Every route of every table, those to the host's own addresses too (<see cref="RouteKind.Local"/>), of one family or
    /// (Unspecified) of both.</summary>
    public List<Route> Routes(AddressFamily family = AddressFamily.Unspecified)
    {
        Span<byte> rtmsg = stackalloc byte[RouteMessage.RouteBytes];
        rtmsg.Clear();
        rtmsg[0] = Family(family);
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetRoute, NetlinkFlags.Request | NetlinkFlags.Dump, rtmsg);
        return _socket.Dump(request, Route.Parse, "RTM_GETROUTE", "all routes");
    }

    private static NetlinkWriter Request(ushort type, NetlinkFlags flags, Route route)
    {
        Span<byte> rtmsg = stackalloc byte[RouteMessage.RouteBytes];
        route.WriteFixedPart(rtmsg);
        NetlinkWriter request = new();
        request.Message(type, flags, rtmsg);
        route.Write(request);
        return request;
    }
}
