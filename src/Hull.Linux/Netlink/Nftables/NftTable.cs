namespace Hull.Linux.Netlink.Nftables;

/// <summary>A table of nf_tables, by its name.</summary>
/// <remarks>Tables are made without NFT_TABLE_F_OWNER: such a table belongs to one socket and goes when that is closed (before Linux 6.9
/// always), and hull has no process that lives as long as its networks. So a <c>flush ruleset</c> of others takes the table along;
/// <see cref="NftSocket.Generation"/> tells that something changed, and <see cref="NftSocket.Read"/> what is there.</remarks>
public sealed record NftTable(NftFamily Family, string Name)
{
    /// <summary>As nft writes it: <c>inet hull</c>.</summary>
    public override string ToString() => $"{Family.ToString().ToLowerInvariant()} {Name}";
}
