using System.Buffers.Binary;

namespace Hull.Networking.Dns;

/// <summary>A query read in place (RFC 1035 section 4, RFC 6891). The bytes come from the container: every length and count may lie.</summary>
internal readonly ref struct DnsQuery
{
    /// <summary>What fits a datagram where the client says nothing (RFC 1035 section 4.2.1).</summary>
    public const int DefaultDatagram = 512;

    public required ushort Id { get; init; }

    public required ushort Flags { get; init; }

    /// <summary>Name, type and class as they were asked; empty where they could not be read.</summary>
    public ReadOnlySpan<byte> Question { get; init; }

    public ReadOnlySpan<byte> Name => Question[..^4];

    public DnsType Type => (DnsType)BinaryPrimitives.ReadUInt16BigEndian(Question[^4..]);

    public DnsClass Class => (DnsClass)BinaryPrimitives.ReadUInt16BigEndian(Question[^2..]);

    /// <summary>The query has an OPT record, and so must the answer.</summary>
    public bool HasEdns { get; init; }

    /// <summary>Bytes of the longest datagram the client takes.</summary>
    public int DatagramLimit { get; init; }

    /// <summary>The DO bit (RFC 3225).</summary>
    public bool DnssecOk { get; init; }

    /// <summary>False for what gets no answer of any kind: too short, or an answer itself (two servers could go on for ever).</summary>
    public static bool IsQuery(ReadOnlySpan<byte> message) =>
        message.Length >= DnsHeader.Length && (message[2] & (DnsHeader.Response >> 8)) == 0;

    /// <summary>Reads a message for which <see cref="IsQuery"/> holds.</summary>
    /// <returns>NoError, or the code to refuse it with.</returns>
    public static DnsCode Parse(ReadOnlySpan<byte> message, out DnsQuery query)
    {
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        query = new DnsQuery { Id = BinaryPrimitives.ReadUInt16BigEndian(message), Flags = flags, DatagramLimit = DefaultDatagram };
        if ((flags & DnsHeader.OpcodeMask) != 0)
        {
            return DnsCode.NotImplemented;
        }

        // More than one question never had a meaning (RFC 9619).
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || (flags & DnsHeader.Truncated) != 0)
        {
            return DnsCode.FormatError;
        }

        // Nothing comes before the question that its name could point to.
        ReadOnlySpan<byte> rest = message[DnsHeader.Length..];
        int name = DnsName.LengthUncompressed(rest);
        if (name == 0 || rest.Length < name + 4)
        {
            return DnsCode.FormatError;
        }

        query = query with { Question = rest[..(name + 4)] };
        rest = rest[(name + 4)..];
        int before = BinaryPrimitives.ReadUInt16BigEndian(message[6..]) + BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        int additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        return ReadRecords(rest, before, additional, ref query);
    }

    /// <summary>Steps over the records, which take at least 11 bytes each, and looks for the OPT among the additional ones.</summary>
    private static DnsCode ReadRecords(ReadOnlySpan<byte> rest, int before, int additional, ref DnsQuery query)
    {
        DnsCode code = DnsCode.NoError;
        for (int i = 0; i < before + additional; i++)
        {
            int name = DnsName.LengthInPlace(rest);
            if (name == 0 || rest.Length < name + 10)
            {
                return DnsCode.FormatError;
            }

            ReadOnlySpan<byte> head = rest.Slice(name, 10);
            int data = BinaryPrimitives.ReadUInt16BigEndian(head[8..]);
            if (rest.Length < name + 10 + data)
            {
                return DnsCode.FormatError;
            }

            if (i >= before && (DnsType)BinaryPrimitives.ReadUInt16BigEndian(head) == DnsType.OPT)
            {
                // One OPT, and its name is the root (RFC 6891 section 6.1.1).
                if (query.HasEdns || name != 1)
                {
                    return DnsCode.FormatError;
                }

                // The class is the size of a datagram, the time to live holds code, version and flags (section 6.1.3).
                query = query with
                {
                    HasEdns = true,
                    DatagramLimit = Math.Max(DefaultDatagram, (int)BinaryPrimitives.ReadUInt16BigEndian(head[2..])),
                    DnssecOk = (head[6] & 0x80) != 0,
                };
                code = head[5] == 0 ? DnsCode.NoError : DnsCode.BadVersion;
            }

            rest = rest[(name + 10 + data)..];
        }

        return code;
    }
}
