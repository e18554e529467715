using System.Net;
using System.Net.Sockets;

namespace Hull.Linux.Netlink;

/// <summary>The links, addresses and routes of one network namespace, over rtnetlink(7). Synchronous, not thread-safe.</summary>
/// <remarks>Holds one socket, which belongs to the namespace for as long as it is open. Each method is one message and its answer,
/// unless it says otherwise. Errors are <see cref="SyscallException"/>s whose operation is the message, whose target is the link, address or
/// route, and whose detail is the kernel's own sentence. Changes take CAP_NET_ADMIN over the namespace.</remarks>
public sealed partial class Rtnetlink : IDisposable
{
    private readonly NetlinkSocket _socket;

    private Rtnetlink(NetlinkSocket socket) => _socket = socket;

    /// <param name="networkNamespace">Null is the calling thread's.</param>
    public static Rtnetlink Open(NetworkNamespace? networkNamespace = null) =>
        new(NetlinkSocket.Open(NetlinkProtocol.Route, networkNamespace));

    public void Dispose() => _socket.Dispose();

    private static byte FamilyOf(IPAddress address) => Family(address.AddressFamily);

    private static byte Family(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => 2,
        AddressFamily.InterNetworkV6 => 10,
        AddressFamily.Unspecified => 0,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "IPv4 or IPv6"),
    };
}
