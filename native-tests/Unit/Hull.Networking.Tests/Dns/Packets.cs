using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Hull.Networking.Tests.Dns;

/// <summary>Queries as a stub resolver makes them.</summary>
internal static class Packets
{
    public const int A = 1;
    public const int Ptr = 12;
    public const int Text = 16;
    public const int Aaaa = 28;

    /// <param name="datagram">The size in an OPT record; 0 for none.</param>
    public static byte[] Query(string name, int type, int datagram = 0, ushort id = 0x1234, bool dnssec = false, int version = 0, int @class = 1)
    {
        List<byte> bytes = [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(datagram > 0 ? 1 : 0)];
        bytes.AddRange(Name(name));
        bytes.AddRange([(byte)(type >> 8), (byte)type, (byte)(@class >> 8), (byte)@class]);
        if (datagram > 0)
        {
            bytes.AddRange([0, 0, 41, (byte)(datagram >> 8), (byte)datagram, 0, (byte)version, (byte)(dnssec ? 0x80 : 0), 0, 0, 0]);
        }

        return [.. bytes];
    }

    /// <summary>Labels by dots; escapes are not known here.</summary>
    public static byte[] Name(string name)
    {
        List<byte> bytes = [];
        foreach (string label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.Latin1.GetBytes(label));
        }

        return [.. bytes, 0];
    }

    /// <summary>An upstream's answer to a query: the query's id and question, one A record where the code is 0.</summary>
    public static byte[] Answer(byte[] query, string address, int code = 0)
    {
        int question = 12;
        while (query[question] != 0)
        {
            question += query[question] + 1;
        }

        byte[] head = query[..(question + 5)];
        head[2] = 0x81;
        head[3] = (byte)(0x80 | code);
        head[7] = (byte)(code == 0 ? 1 : 0);
        head[11] = 0;
        return code == 0 ? [.. head, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. IPAddress.Parse(address).GetAddressBytes()] : head;
    }
}

/// <summary>An answer read without the code under test.</summary>
internal sealed class Reply
{
    public Reply(ReadOnlySpan<byte> message)
    {
        Bytes = message.ToArray();
        Id = (ushort)U16(0);
        Flags = (ushort)U16(2);
        int at = 12;
        if (U16(4) == 1)
        {
            Question = ReadName(ref at);
            at += 4;
        }

        Records = new Record[U16(6) + U16(8) + U16(10)];
        for (int i = 0; i < Records.Length; i++)
        {
            string owner = ReadName(ref at);
            (int type, int @class, uint ttl, int length) = (U16(at), U16(at + 2), BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(at + 4)), U16(at + 8));
            Records[i] = new Record(owner, type, @class, ttl, Bytes[(at + 10)..(at + 10 + length)]);
            at += 10 + length;
        }

        Assert.Equal(Bytes.Length, at);
        AnswerCount = U16(6);
        AuthorityCount = U16(8);
    }

    public byte[] Bytes { get; }

    public ushort Id { get; }

    public ushort Flags { get; }

    public int Code => Flags & 15;

    public bool IsTruncated => (Flags & 0x0200) != 0;

    public bool IsAuthoritative => (Flags & 0x0400) != 0;

    public string? Question { get; }

    public Record[] Records { get; }

    public int AnswerCount { get; }

    public int AuthorityCount { get; }

    public IEnumerable<Record> Answers => Records.Take(AnswerCount);

    /// <summary>Addresses of the answer section, as text.</summary>
    public string[] Addresses => [.. Answers.Select(record => new IPAddress(record.Data).ToString())];

    public Record? Opt => Records.SingleOrDefault(record => record.Type == 41);

    private int U16(int at) => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(at));

    private string ReadName(ref int at)
    {
        StringBuilder name = new();
        int? back = null;
        for (int jumps = 0; Bytes[at] != 0;)
        {
            if (Bytes[at] >= 0xC0)
            {
                Assert.True(++jumps < 5);
                back ??= at + 2;
                at = U16(at) & 0x3FFF;
                continue;
            }

            name.Append(Encoding.Latin1.GetString(Bytes, at + 1, Bytes[at])).Append('.');
            at += Bytes[at] + 1;
        }

        at = back ?? at + 1;
        return name.ToString();
    }
}

internal sealed record Record(string Owner, int Type, int Class, uint TimeToLive, byte[] Data);
