namespace Hull.Linux.Netlink.Nftables;

/// <summary>An element of a set, or of a map with what that has for it.</summary>
public sealed class NftElement
{
    private const ushort ElementKey = 1;
    private const ushort ElementData = 2;
    private const ushort ElementFlags = 3;
    private const ushort ElementKeyEnd = 10;
    private const uint IntervalEnd = 1;

    private readonly NftValue _key;
    private readonly NftValue? _data;
    private readonly NftVerdict? _verdict;

    private NftElement(NftValue key, NftValue? data, NftVerdict? verdict)
    {
        _key = key;
        _data = data;
        _verdict = verdict;
    }

    public NftElement(NftValue key)
        : this(key, null, null)
    {
    }

    public NftElement(NftValue key, NftValue data)
        : this(key, data, null)
    {
    }

    public NftElement(NftValue key, NftVerdict verdict)
        : this(key, null, verdict)
    {
    }

    public override string ToString() => _verdict is not null ? $"{_key} : {_verdict}" : _data is not null ? $"{_key} : {_data}" : _key.Text;

    /// <summary>What <see cref="Read"/> makes of it when it comes back.</summary>
    internal IEnumerable<string> Facts(NftSet set)
    {
        string data = _verdict is not null ? $" : {_verdict}" : _data is not null ? $" : {Convert.ToHexString(_data.Bytes)}" : "";
        if (set.HasRanges)
        {
            return [$"{Convert.ToHexString(_key.Bytes)}-{Convert.ToHexString(_key.Last)}{data}"];
        }

        string start = $"{Convert.ToHexString(_key.Bytes)}{data}";
        return set.Intervals && Beyond() is byte[] beyond ? [start, $"{Convert.ToHexString(beyond)} end"] : [start];
    }

    internal static string Read(NetlinkReader element)
    {
        string key = "";
        string last = "";
        string data = "";
        string end = "";
        while (element.Next())
        {
            switch (element.Type)
            {
                case ElementKey:
                    key = Value(element.Nested);
                    break;
                case ElementKeyEnd:
                    last = $"-{Value(element.Nested)}";
                    break;
                case ElementData:
                    data = $" : {Value(element.Nested)}";
                    break;
                case ElementFlags when (element.BigEndian32 & IntervalEnd) != 0:
                    end = " end";
                    break;
            }
        }

        return $"{key}{last}{data}{end}";
    }

    internal void Write(NetlinkWriter writer, NftSet set)
    {
        using (writer.Open(NftNumbers.ListItem))
        {
            Write(writer, ElementKey, _key.Bytes);
            if (set.HasRanges)
            {
                Write(writer, ElementKeyEnd, _key.Last);
            }

            if (_data is not null)
            {
                Write(writer, ElementData, _data.Bytes);
            }
            else if (_verdict is not null)
            {
                using (writer.Open(ElementData))
                {
                    _verdict.Write(writer);
                }
            }
        }

        // Up to, not with; a range to the very end needs no mark.
        if (set.Intervals && !set.HasRanges && Beyond() is byte[] beyond)
        {
            using (writer.Open(NftNumbers.ListItem))
            {
                Write(writer, ElementKey, beyond);
                writer.PutBigEndian32(ElementFlags, IntervalEnd);
            }
        }
    }

    private static void Write(NetlinkWriter writer, ushort number, ReadOnlySpan<byte> value)
    {
        using (writer.Open(number))
        {
            writer.Put(NftNumbers.DataValue, value);
        }
    }

    private static string Value(NetlinkReader data) => !data.Next() ? ""
        : data.Type == NftNumbers.DataVerdict ? NftVerdict.Read(data.Nested) : Convert.ToHexString(data.Value);

    /// <summary>The value after the last; null where there is none.</summary>
    private byte[]? Beyond()
    {
        byte[] value = _key.Last.ToArray();
        for (int i = value.Length - 1; i >= 0; i--)
        {
            if (++value[i] != 0)
            {
                return value;
            }
        }

        return null;
    }
}
