namespace Hull.Linux.Netlink.Nftables;

/// <summary>Numbers of include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h. Numbers in attributes are big-endian.</summary>
internal static class NftNumbers
{
    public const ushort Subsystem = 10;
    public const ushort BatchBegin = 0x10;
    public const ushort BatchEnd = 0x11;
    public const ushort BatchGeneration = 1;

    /// <summary>struct nfgenmsg.</summary>
    public const int FixedBytes = 4;

    public const int NewTable = 0;
    public const int GetTable = 1;
    public const int DeleteTable = 2;
    public const int NewChain = 3;
    public const int GetChain = 4;
    public const int DeleteChain = 5;
    public const int NewRule = 6;
    public const int GetRule = 7;
    public const int DeleteRule = 8;
    public const int NewSet = 9;
    public const int GetSet = 10;
    public const int DeleteSet = 11;
    public const int NewElement = 12;
    public const int GetElement = 13;
    public const int DeleteElement = 14;
    public const int NewGeneration = 15;
    public const int GetGeneration = 16;

    /// <summary>NFTA_LIST_ELEM.</summary>
    public const ushort ListItem = 1;
    public const ushort ExpressionName = 1;
    public const ushort ExpressionData = 2;
    public const ushort DataValue = 1;
    public const ushort DataVerdict = 2;

    public const uint RegisterVerdict = 0;

    /// <summary>NFT_REG32_00: the first of sixteen registers of four bytes.</summary>
    public const uint Register = 8;

    public static ushort Type(int message) => (ushort)((Subsystem << 8) | message);
}
