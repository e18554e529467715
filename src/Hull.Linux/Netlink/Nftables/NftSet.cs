namespace Hull.Linux.Netlink.Nftables;

/// <summary>A named set, or with <see cref="Data"/> or <see cref="Verdicts"/> a map, that rules of its table look things up in: an
/// element costs a rule nothing.</summary>
/// <param name="keys">What an element is: one type, or several that are looked up together (a concatenation).</param>
public sealed class NftSet(NftTable table, string name, params NftType[] keys)
{
    // nft's TYPE_BITS: a concatenation's number has six bits a type.
    private const int TypeBits = 6;

    // NFT_DATA_VERDICT.
    private const uint VerdictType = 0xffffff00;

    private const uint FlagInterval = 0x4;
    private const uint FlagMap = 0x8;
    private const uint FlagConcat = 0x80;

    public NftTable Table { get; } = table;

    public string Name { get; } = name;

    /// <summary>What a map has for a key: an address, or an address and a port.</summary>
    public NftType[] Data { get; init; } = [];

    /// <summary>A map to verdicts.</summary>
    public bool Verdicts { get; init; }

    /// <summary>Elements may be ranges: networks, ports from to. With concatenated keys since Linux 5.6.</summary>
    public bool Intervals { get; init; }

    internal bool IsMap => Verdicts || Data.Length > 0;

    /// <summary>Ranges are first and last in one element; else an element starts and another ends them.</summary>
    internal bool HasRanges => Intervals && keys.Length > 1;

    internal string Word => IsMap ? "map" : "set";

    internal string Definition =>
        $"{Table} {Name} {{ type {Names(keys)}{(Verdicts ? " : verdict" : Data.Length > 0 ? $" : {Names(Data)}" : "")};{(Intervals ? " flags interval;" : "")} }}";

    public override string ToString() => Name;

    internal void Write(NetlinkWriter writer, uint id)
    {
        writer.PutString(1, Table.Name);
        writer.PutString(2, Name);
        writer.PutBigEndian32(3, (Intervals ? FlagInterval : 0) | (IsMap ? FlagMap : 0) | (HasRanges ? FlagConcat : 0));
        writer.PutBigEndian32(4, Number(keys));
        writer.PutBigEndian32(5, Bytes(keys));
        if (Verdicts)
        {
            writer.PutBigEndian32(6, VerdictType);
        }
        else if (Data.Length > 0)
        {
            writer.PutBigEndian32(6, Number(Data));
            writer.PutBigEndian32(7, Bytes(Data));
        }

        writer.PutBigEndian32(10, id);
        if (HasRanges)
        {
            WriteFields(writer);
        }

        if (keys is [{ IsHostOrder: true }])
        {
            // NFTNL_UDATA_SET_KEYBYTEORDER of libnftnl, BYTEORDER_HOST_ENDIAN of nft: the kernel only keeps it, and without it nft
            // prints links' names back to front.
            writer.Put(13, [0, 4, 1, 0, 0, 0]);
        }
    }

    /// <summary>NFTA_SET_DESC_CONCAT: the length of each part.</summary>
    private void WriteFields(NetlinkWriter writer)
    {
        using (writer.Open(9))
        using (writer.Open(2))
        {
            foreach (NftType type in keys)
            {
                using (writer.Open(NftNumbers.ListItem))
                {
                    writer.PutBigEndian32(1, (uint)type.Length);
                }
            }
        }
    }

    private static string Names(NftType[] types) => string.Join(" . ", types.Select(type => type.Name));

    private static uint Number(NftType[] types) => types.Aggregate(0u, (number, type) => (number << TypeBits) | type.Id);

    private static uint Bytes(NftType[] types) => types.Length == 1 ? (uint)types[0].Length : (uint)types.Sum(type => type.Padded);
}
