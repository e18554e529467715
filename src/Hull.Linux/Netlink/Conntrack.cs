using System.Net.Sockets;

namespace Hull.Linux.Netlink;

/// <summary>The tracked connections of one network namespace (ctnetlink). Synchronous, not thread-safe.</summary>
/// <remarks>Rules of NAT are asked for the first packet of a connection only. A UDP "connection" lives on while its peer goes on
/// sending: when a port is published anew, the old entries have to go, or the packets go on to where they went.</remarks>
public sealed class Conntrack : IDisposable
{
    private const ushort Subsystem = 1 << 8;
    private const ushort New = Subsystem | 0;
    private const ushort Get = Subsystem | 1;
    private const ushort Remove = Subsystem | 2;
    private const int FixedBytes = 4;
    private const ushort TupleOriginal = 1;
    private const ushort TupleReply = 2;
    private const ushort Id = 12;
    private const ushort Zone = 18;

    private readonly NetlinkSocket _socket;

    private Conntrack(NetlinkSocket socket) => _socket = socket;

    /// <param name="networkNamespace">Null is the calling thread's.</param>
    public static Conntrack Open(NetworkNamespace? networkNamespace = null) =>
        new(NetlinkSocket.Open(NetlinkProtocol.Netfilter, networkNamespace));

    /// <summary>Every entry of a family.</summary>
    public List<ConntrackEntry> Entries(AddressFamily family)
    {
        using NetlinkWriter request = new();
        request.Message(Get, NetlinkFlags.Request | NetlinkFlags.Dump, [family == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2, 0, 0, 0]);
        return _socket.Dump(request, Parse, "conntrack", $"list {family}");
    }

    /// <summary>Forgets connections: their next packet is the first of a new one.</summary>
    /// <returns>How many.</returns>
    public int Delete(AddressFamily family, Predicate<ConntrackEntry> which)
    {
        int count = 0;
        foreach (ConntrackEntry entry in Entries(family))
        {
            if (!which(entry))
            {
                continue;
            }

            using NetlinkWriter request = new();
            request.Message(Remove, NetlinkFlags.Request | NetlinkFlags.Acknowledge, [family == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2, 0, 0, 0]);
            using (request.Open(TupleOriginal, entry.RawOriginal))
            {
            }

            // The id as well: the tuple may by now be another connection's.
            request.Put(Id, entry.RawId);
            if (entry.RawZone.Length > 0)
            {
                request.Put(Zone, entry.RawZone);
            }

            Errno errno = _socket.TryExecute(request, out string? text);
            // ENOENT: it ended by itself.
            count += errno switch
            {
                Errno.None => 1,
                Errno.ENOENT => 0,
                _ => throw new SyscallException("conntrack", $"delete {entry}", errno, text),
            };
        }

        return count;
    }

    public void Dispose() => _socket.Dispose();

    private static ConntrackEntry? Parse(NetlinkMessage message)
    {
        if (message.Type != New)
        {
            return null;
        }

        ConntrackTuple? original = null;
        ConntrackTuple? reply = null;
        byte[] rawOriginal = [];
        byte[] rawId = [];
        byte[] rawZone = [];
        NetlinkReader attributes = message.Attributes(FixedBytes);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case TupleOriginal:
                    original = ConntrackTuple.Parse(attributes.Nested);
                    rawOriginal = attributes.Value.ToArray();
                    break;
                case TupleReply:
                    reply = ConntrackTuple.Parse(attributes.Nested);
                    break;
                case Id:
                    rawId = attributes.Value.ToArray();
                    break;
                case Zone:
                    rawZone = attributes.Value.ToArray();
                    break;
            }
        }

        return original is null || reply is null ? null : new ConntrackEntry(original, reply) { RawOriginal = rawOriginal, RawId = rawId, RawZone = rawZone };
    }
}
