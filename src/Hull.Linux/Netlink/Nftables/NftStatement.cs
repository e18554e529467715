namespace Hull.Linux.Netlink.Nftables;

/// <summary>One piece of a rule: a condition, or something done where all conditions before it hold. Prints itself as nft writes it.</summary>
public sealed class NftStatement
{
    private readonly string _text;
    private readonly Action<NftRuleWriter> _write;

    internal NftStatement(string text, Action<NftRuleWriter> write)
    {
        _text = text;
        _write = write;
    }

    public static implicit operator NftStatement(NftVerdict verdict) => new(verdict.ToString(), writer => writer.Verdict(verdict));

    public override string ToString() => _text;

    internal void Write(NftRuleWriter writer) => _write(writer);
}
