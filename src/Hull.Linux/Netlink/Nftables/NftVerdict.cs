namespace Hull.Linux.Netlink.Nftables;

/// <summary>What becomes of a packet: of a rule, and of an element of a verdict map.</summary>
public sealed class NftVerdict
{
    private const ushort VerdictCode = 1;
    private const ushort VerdictChain = 2;

    private const int JumpCode = -3;
    private const int GotoCode = -4;

    private readonly int _code;
    private readonly string? _chain;
    private readonly string _text;

    private NftVerdict(int code, string text, string? chain = null)
    {
        _code = code;
        _text = chain is null ? text : $"{text} {chain}";
        _chain = chain;
    }

    /// <summary>It leaves this base chain; later ones, also of other tables, can still drop it.</summary>
    public static readonly NftVerdict Accept = new(1, "accept");

    /// <summary>It is gone, whatever any other table says.</summary>
    public static readonly NftVerdict Drop = new(0, "drop");

    /// <summary>Back to the chain that jumped here.</summary>
    public static readonly NftVerdict Return = new(-5, "return");

    /// <summary>To a chain of the same table, and back after its end.</summary>
    public static NftVerdict Jump(NftChain chain) => new(JumpCode, "jump", chain.Name);

    /// <summary>To a chain of the same table, for good.</summary>
    public static NftVerdict Goto(NftChain chain) => new(GotoCode, "goto", chain.Name);

    public override string ToString() => _text;

    /// <summary>Reads a NFTA_DATA_VERDICT.</summary>
    internal static string Read(NetlinkReader verdict)
    {
        int code = 0;
        string? chain = null;
        while (verdict.Next())
        {
            if (verdict.Type == VerdictCode)
            {
                code = (int)verdict.BigEndian32;
            }
            else if (verdict.Type == VerdictChain)
            {
                chain = verdict.String;
            }
        }

        return code switch
        {
            JumpCode => $"jump {chain}",
            GotoCode => $"goto {chain}",
            _ => new[] { Accept, Drop, Return }.FirstOrDefault(known => known._code == code)?._text ?? $"verdict {code}",
        };
    }

    /// <summary>A NFTA_DATA_VERDICT.</summary>
    internal void Write(NetlinkWriter writer)
    {
        using (writer.Open(NftNumbers.DataVerdict))
        {
            writer.PutBigEndian32(VerdictCode, (uint)_code);
            if (_chain is not null)
            {
                writer.PutString(VerdictChain, _chain);
            }
        }
    }
}
