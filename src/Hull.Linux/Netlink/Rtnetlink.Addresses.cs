using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hull.Linux.Netlink;

public sealed partial class Rtnetlink
{
    // IFA_F_NODAD: an IPv6 address serves at once, without the second of asking whether another has it.
    private const uint NoDuplicateDetection = 0x02;

    /// <summary>Gives a link an address, and with it the route to the address's network. An IPv4 address gets its network's
    /// broadcast address (down to /30); an IPv6 address is used at once (IFA_F_NODAD).</summary>
    /// <returns>False where the link has it already.</returns>
    /// <exception cref="SyscallException">ENODEV where there is no such link; EACCES where IPv6 is off on it (disable_ipv6).</exception>
    public bool AddAddress(int index, IPAddress address, int prefixLength)
    {
        using NetlinkWriter request = Request(RouteMessage.NewAddress, Change | NetlinkFlags.Create | NetlinkFlags.Exclusive, index, address, prefixLength);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            request.PutUInt32(LinkAddress.FlagsNumber, NoDuplicateDetection);
        }
        else if (prefixLength <= 30)
        {
            request.PutAddress(LinkAddress.BroadcastNumber, Broadcast(address, prefixLength));
        }

        return _socket.TryExecute(request, out string? text) switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            Errno errno => throw new SyscallException(
                "RTM_NEWADDR", new LinkAddress(index, address, prefixLength).ToString(), errno, text,
                errno == Errno.EACCES ? "is disable_ipv6 set for the link?" : null),
        };
    }

    /// <summary>Takes an address from a link. False where it has none such.</summary>
    public bool DeleteAddress(int index, IPAddress address, int prefixLength)
    {
        using NetlinkWriter request = Request(RouteMessage.DeleteAddress, Change, index, address, prefixLength);
        return _socket.TryExecute(request, out string? text) switch
        {
            Errno.None => true,
            Errno.EADDRNOTAVAIL or Errno.ENODEV => false,
            Errno errno => throw new SyscallException("RTM_DELADDR", new LinkAddress(index, address, prefixLength).ToString(), errno, text),
        };
    }

    /// <summary>The addresses of every link, of one family or (Unspecified) of both.</summary>
    public List<LinkAddress> Addresses(AddressFamily family = AddressFamily.Unspecified)
    {
        Span<byte> ifaddrmsg = stackalloc byte[RouteMessage.AddressBytes];
        ifaddrmsg.Clear();
        ifaddrmsg[0] = Family(family);
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetAddress, NetlinkFlags.Request | NetlinkFlags.Dump, ifaddrmsg);
        return _socket.Dump(request, LinkAddress.Parse, "RTM_GETADDR", "all addresses");
    }

    private static NetlinkWriter Request(ushort type, NetlinkFlags flags, int index, IPAddress address, int prefixLength)
    {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        Span<byte> ifaddrmsg = stackalloc byte[RouteMessage.AddressBytes];
        ifaddrmsg.Clear();
        ifaddrmsg[0] = FamilyOf(address);
        ifaddrmsg[1] = (byte)prefixLength;
        BinaryPrimitives.WriteInt32LittleEndian(ifaddrmsg[4..], index);
        NetlinkWriter request = new();
        request.Message(type, flags, ifaddrmsg);
        request.PutAddress(LinkAddress.LocalNumber, address);
        request.PutAddress(LinkAddress.AddressNumber, address);
        return request;
    }

    private static IPAddress Broadcast(IPAddress address, int prefixLength)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        uint hosts = prefixLength == 0 ? uint.MaxValue : uint.MaxValue >> prefixLength;
        BinaryPrimitives.WriteUInt32BigEndian(bytes, BinaryPrimitives.ReadUInt32BigEndian(bytes) | hosts);
        return new IPAddress(bytes);
    }
}
