using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Datagrams at a socket that is bound to all addresses: to which one each came, so that the answer goes out from it.</summary>
public static unsafe partial class InternetSockets
{
    /// <summary>IP_PKTINFO of ip(7), IPV6_RECVPKTINFO of ipv6(7): from now on the socket tells destinations.</summary>
    public static void TellDestinations(SafeFileHandle socket)
    {
        if (LocalEndpoint(socket).Family == SocketEndpoint.FamilyInternet6)
        {
            SetOption(socket, LevelIPv6, OptionReceivePacketInfo6, 1, "IPV6_RECVPKTINFO");
        }
        else
        {
            SetOption(socket, LevelIP, PacketInfo4, 1, "IP_PKTINFO");
        }
    }

    /// <summary>recvmsg(2) once, at a socket that tells destinations (<see cref="TellDestinations"/>).</summary>
    /// <param name="to">The host's own address to answer from, with port 0; default where the datagram came by IPv6 multicast, whose
    /// answer comes from an address of the kernel's choice.</param>
    /// <inheritdoc cref="TryReceive(SafeFileHandle, Span{byte}, out SocketEndpoint, out Errno)"/>
    public static int TryReceive(SafeFileHandle socket, Span<byte> buffer, out SocketEndpoint from, out SocketEndpoint to, out Errno errno)
    {
        SocketEndpoint sender = default;
        PacketInfo info = default;
        nint n;
        // SAFETY: the buffer is pinned for the call; all else that the message points to is a local of the size passed.
        fixed (byte* p = buffer)
        {
            IoVector vector = new() { Base = p, Length = (nuint)buffer.Length };
            do
            {
                MessageHeader message = new()
                {
                    Name = &sender,
                    NameLength = (uint)sizeof(SocketEndpoint),
                    Vectors = &vector,
                    VectorCount = 1,
                    Control = &info,
                    ControlLength = (nuint)sizeof(PacketInfo),
                };
                n = recvmsg(Files.Fd(socket), &message, 0);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
        }

        from = sender;
        to = info.Destination;
        return (int)n;
    }

    /// <summary>sendmsg(2) once, from one of the host's addresses.</summary>
    /// <param name="from">Default: of the kernel's choice. The port is the socket's own in any case.</param>
    /// <inheritdoc cref="TrySend(SafeFileHandle, ReadOnlySpan{byte}, in SocketEndpoint?, out Errno)"/>
    public static int TrySend(SafeFileHandle socket, ReadOnlySpan<byte> data, in SocketEndpoint from, in SocketEndpoint to, out Errno errno)
    {
        SocketEndpoint peer = to;
        PacketInfo info = default;
        nuint length = info.SetSource(from);
        nint n;
        // SAFETY: the data is pinned for the call; all else that the message points to is a local, of at least the size passed.
        fixed (byte* p = data)
        {
            IoVector vector = new() { Base = p, Length = (nuint)data.Length };
            MessageHeader message = new()
            {
                Name = &peer,
                NameLength = peer.Length,
                Vectors = &vector,
                VectorCount = 1,
                Control = length == 0 ? null : &info,
                ControlLength = length,
            };
            do
            {
                n = sendmsg(Files.Fd(socket), &message, MessageNoSignal);
                errno = n < 0 ? SyscallException.LastErrno : Errno.None;
            }
            while (errno == Errno.EINTR);
        }

        return (int)n;
    }

    /// <summary>One control message (cmsg(3)) with struct in_pktinfo or in6_pktinfo, and padding to the alignment of the next.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    private struct PacketInfo
    {
        private const int Header = 16;

        [FieldOffset(0)] private nuint _length;
        [FieldOffset(8)] private int _level;
        [FieldOffset(12)] private int _type;

        /// <summary>ipi_spec_dst: the host's address, also where the packet's is a broadcast (ip(7)).</summary>
        [FieldOffset(Header + 4)] private uint _address4;
        [FieldOffset(Header)] private UInt128 _address6;

        public readonly SocketEndpoint Destination => (_level, _type) switch
        {
            (LevelIP, PacketInfo4) => new SocketEndpoint(_address4),
            (LevelIPv6, PacketInfo6) when (byte)_address6 != 0xFF => new SocketEndpoint(_address6),
            _ => default,
        };

        /// <returns>Bytes of the message.</returns>
        public nuint SetSource(in SocketEndpoint from)
        {
            switch (from.Family)
            {
                case SocketEndpoint.FamilyInternet:
                    (_length, _level, _type, _address4) = (Header + 12, LevelIP, PacketInfo4, from.Bits4);
                    return Header + 16;
                case SocketEndpoint.FamilyInternet6:
                    (_length, _level, _type, _address6) = (Header + 20, LevelIPv6, PacketInfo6, from.Bits6);
                    return Header + 24;
                default:
                    return 0;
            }
        }
    }

    /// <summary>struct iovec.</summary>
    private struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    private struct MessageHeader
    {
        public SocketEndpoint* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public PacketInfo* Control;
        public nuint ControlLength;
        public int Flags;
    }

    private const int LevelIP = 0;
    private const int PacketInfo4 = 8;
    private const int OptionReceivePacketInfo6 = 49;
    private const int PacketInfo6 = 50;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int fd, MessageHeader* message, int flags);
}
