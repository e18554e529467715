using System.Globalization;

namespace Hull.Linux.Netlink.Nftables;

/// <summary>A chain: rules that are jumped to, or with a <see cref="Hook"/> a base chain that packets enter by themselves.</summary>
public sealed record NftChain(NftTable Table, string Name)
{
    /// <summary>Null: a chain that is only jumped to.</summary>
    public NftHook? Hook { get; init; }

    /// <summary><c>filter</c>, <c>nat</c> or <c>route</c>. Of base chains only.</summary>
    public string Type { get; init; } = "filter";

    /// <summary>Lower comes first among the chains of a hook, whoever made them. Of base chains only.</summary>
    public int Priority { get; init; }

    /// <summary>What becomes of packets that no rule decided about: dropped rather than accepted. Of base chains only.</summary>
    public bool DropByDefault { get; init; }

    /// <summary>The name, for use in rules of the same table.</summary>
    public override string ToString() => Name;

    internal string Definition => Hook is null ? $"{Table} {Name}" : string.Create(CultureInfo.InvariantCulture,
        $"{Table} {Name} {{ type {Type} hook {Hook.Value.ToString().ToLowerInvariant()} priority {Priority}; policy {(DropByDefault ? "drop" : "accept")}; }}");
}
