using System.Buffers.Binary;

namespace Hull.Networking.Dns;

/// <summary>Writes one answer into a buffer: header, the question as it was asked, records, OPT.</summary>
/// <remarks>A record that does not fit makes the answer a truncated one (TC), with which a client comes back over TCP. Times to
/// live are 0: a container that is gone or has another address is so for the next question.</remarks>
internal ref struct DnsWriter
{
    /// <summary>The datagram that this server offers to take; the loopback does not fragment it.</summary>
    private const ushort OwnDatagram = 4096;

    private const int OptLength = 11;

    /// <summary>A pointer to the name of the question, which follows the header (RFC 1035 section 4.1.4).</summary>
    private const ushort QuestionName = 0xC000 | DnsHeader.Length;

    private readonly Span<byte> _whole;
    /// <summary>Without the room of the OPT.</summary>
    private readonly Span<byte> _records;
    private readonly bool _hasEdns;
    private readonly bool _dnssecOk;
    private readonly ushort _flags;
    private int _length;
    private ushort _answers;
    private ushort _authorities;
    private bool _truncated;

    /// <param name="buffer">At least 512 bytes; the answer takes no more than it has.</param>
    public DnsWriter(Span<byte> buffer, DnsQuery query)
    {
        _whole = buffer;
        _hasEdns = query.HasEdns;
        _dnssecOk = query.DnssecOk;
        // Room for the OPT, which must not be what falls off (RFC 6891 section 7).
        _records = _hasEdns ? buffer[..^OptLength] : buffer;
        _flags = (ushort)(DnsHeader.Response | DnsHeader.RecursionAvailable
            | (query.Flags & (DnsHeader.OpcodeMask | DnsHeader.RecursionDesired | DnsHeader.CheckingDisabled)));
        BinaryPrimitives.WriteUInt16BigEndian(buffer, query.Id);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[4..], (ushort)(query.Question.IsEmpty ? 0 : 1));
        // With the case of its letters: who asks may check that (draft-vixie-dnsext-dns0x20).
        query.Question.CopyTo(buffer[DnsHeader.Length..]);
        _length = DnsHeader.Length + query.Question.Length;
    }

    /// <summary>Whether every record so far has found room.</summary>
    public readonly bool HasRoom => !_truncated;

    /// <summary>An answer with the name asked for.</summary>
    public void Add(DnsType type, scoped ReadOnlySpan<byte> data)
    {
        if (_truncated || _length + 12 + data.Length > _records.Length)
        {
            _truncated = true;
            return;
        }

        Span<byte> record = _records[_length..];
        BinaryPrimitives.WriteUInt16BigEndian(record, QuestionName);
        WriteHead(record[2..], type, data.Length);
        data.CopyTo(record[12..]);
        _length += 12 + data.Length;
        _answers++;
    }

    /// <summary>The SOA of a negative answer, which keeps a client from remembering it for a time of its own choice (RFC 2308 section
    /// 5). Of the root, since names of containers end there.</summary>
    public void AddNegative()
    {
        // Owner, then two names, all of them the root, and five numbers: nothing here is ever transferred.
        const int Data = 1 + 1 + 20;
        if (_length + 11 + Data <= _records.Length)
        {
            Span<byte> record = _records.Slice(_length, 11 + Data);
            record.Clear();
            WriteHead(record[1..], DnsType.SOA, Data);
            _length += record.Length;
            _authorities++;
        }
    }

    /// <summary>Completes the message.</summary>
    /// <param name="authoritative">Answered from the networks' own names.</param>
    /// <returns>Its length.</returns>
    public int Finish(DnsCode code, bool authoritative)
    {
        int flags = _flags | ((int)code & DnsHeader.CodeMask) | (authoritative ? DnsHeader.Authoritative : 0) | (_truncated ? DnsHeader.Truncated : 0);
        BinaryPrimitives.WriteUInt16BigEndian(_whole[2..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(_whole[6..], _answers);
        BinaryPrimitives.WriteUInt16BigEndian(_whole[8..], _authorities);
        BinaryPrimitives.WriteUInt16BigEndian(_whole[10..], (ushort)(_hasEdns ? 1 : 0));
        if (!_hasEdns)
        {
            return _length;
        }

        Span<byte> opt = _whole.Slice(_length, OptLength);
        opt.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(opt[1..], (ushort)DnsType.OPT);
        BinaryPrimitives.WriteUInt16BigEndian(opt[3..], OwnDatagram);
        opt[5] = (byte)((int)code >> 4);
        opt[7] = (byte)(_dnssecOk ? 0x80 : 0);
        return _length + OptLength;
    }

    /// <summary>Type, class, time to live 0, length of the data.</summary>
    private static void WriteHead(Span<byte> record, DnsType type, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(record[2..], (ushort)DnsClass.Internet);
        BinaryPrimitives.WriteUInt32BigEndian(record[4..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(record[8..], (ushort)length);
    }
}
