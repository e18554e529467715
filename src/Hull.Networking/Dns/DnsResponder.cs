using System.Net;
using System.Runtime.InteropServices;

namespace Hull.Networking.Dns;

/// <summary>What becomes of a message from the container.</summary>
internal enum DnsOutcome
{
    /// <summary>No answer of any kind.</summary>
    Dropped,

    /// <summary>The answer is in the buffer.</summary>
    Answered,

    /// <summary>Nothing here knows the name; a server outside may.</summary>
    Unknown,
}

/// <summary>Answers what can be answered from the networks' names.</summary>
/// <remarks>
/// A name that is known is never forwarded, whatever type is asked for: it would leak, and the client would wait for an answer
/// that says the name does not exist. Everything else is, single labels too, as docker does. Not thread-safe.
/// </remarks>
internal sealed class DnsResponder(INameSource names)
{
    private readonly AddressList _addresses = new();
    private uint _turn4;
    private uint _turn6;

    /// <param name="answer">At least 512 bytes.</param>
    /// <param name="length">Of the answer.</param>
    public DnsOutcome Answer(ReadOnlySpan<byte> message, bool isDatagram, Span<byte> answer, out int length)
    {
        length = 0;
        if (!DnsQuery.IsQuery(message))
        {
            return DnsOutcome.Dropped;
        }

        DnsCode code = DnsQuery.Parse(message, out DnsQuery query);
        if (code == DnsCode.NoError && (query.Class is not (DnsClass.Internet or DnsClass.Any) || query.Type is DnsType.AXFR or DnsType.IXFR))
        {
            // A transfer is many messages, and nobody's business.
            code = DnsCode.Refused;
        }

        DnsWriter writer = new(isDatagram ? answer[..Math.Min(answer.Length, query.DatagramLimit)] : answer, query);
        bool authoritative = false;
        if (code == DnsCode.NoError)
        {
            try
            {
                if (!TryAnswer(query, ref writer))
                {
                    return DnsOutcome.Unknown;
                }

                authoritative = true;
            }
            catch (Linux.SyscallException)
            {
                // A disk or table that is full for a moment must not make a name that exists one that does not.
                code = DnsCode.ServerFailure;
            }
        }

        length = writer.Finish(code, authoritative);
        return DnsOutcome.Answered;
    }

    /// <summary>An answer without records, for a query that was read before.</summary>
    /// <returns>Its length.</returns>
    public static int Refuse(ReadOnlySpan<byte> message, DnsCode code, Span<byte> answer)
    {
        DnsQuery.Parse(message, out DnsQuery query);
        DnsWriter writer = new(answer, query);
        if (code == DnsCode.NameError)
        {
            writer.AddNegative();
        }

        return writer.Finish(code, authoritative: false);
    }

    private bool TryAnswer(DnsQuery query, ref DnsWriter writer)
    {
        Span<byte> name = stackalloc byte[DnsName.MaxTextBytes];
        int length = DnsName.ToText(query.Name, name);
        if (length == 0)
        {
            return false;
        }

        name = name[..length];
        if (DnsName.ReverseAddress(name) is IPAddress address)
        {
            return TryReverse(address, query.Type, ref writer);
        }

        _addresses.Clear();
        if (!names.TryLookup(name, _addresses))
        {
            return false;
        }

        // ANY gets one set of records, the smallest answer that is true (RFC 8482 section 4.1).
        bool any = query.Type == DnsType.ANY;
        if (query.Type == DnsType.A || (any && _addresses.Version4.Count > 0))
        {
            AddRotated<uint>(DnsType.A, CollectionsMarshal.AsSpan(_addresses.Version4), ref _turn4, ref writer);
        }
        else if (query.Type == DnsType.AAAA || any)
        {
            AddRotated<UInt128>(DnsType.AAAA, CollectionsMarshal.AsSpan(_addresses.Version6), ref _turn6, ref writer);
        }
        else
        {
            writer.AddNegative();
        }

        return true;
    }

    private bool TryReverse(IPAddress address, DnsType type, ref DnsWriter writer)
    {
        Span<byte> text = stackalloc byte[DnsName.MaxTextBytes];
        int length = names.Reverse(address, text);
        if (length == 0)
        {
            return false;
        }

        Span<byte> target = stackalloc byte[DnsName.MaxWireBytes];
        int bytes = type is DnsType.PTR or DnsType.ANY ? DnsName.FromText(text[..length], target) : 0;
        if (bytes > 0)
        {
            writer.Add(DnsType.PTR, target[..bytes]);
        }
        else
        {
            writer.AddNegative();
        }

        return true;
    }

    /// <summary>Each answer begins with the next address, for clients that use the first one only. A turn for each type: most
    /// clients ask for both, one after the other.</summary>
    private static void AddRotated<T>(DnsType type, ReadOnlySpan<T> addresses, ref uint turn, ref DnsWriter writer)
        where T : unmanaged
    {
        if (addresses.IsEmpty)
        {
            writer.AddNegative();
            return;
        }

        int first = (int)(turn++ % (uint)addresses.Length);
        for (int i = 0; i < addresses.Length && writer.HasRoom; i++)
        {
            writer.Add(type, MemoryMarshal.AsBytes(addresses.Slice((first + i) % addresses.Length, 1)));
        }
    }
}
