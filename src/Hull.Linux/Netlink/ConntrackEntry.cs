namespace Hull.Linux.Netlink;

/// <summary>A tracked connection.</summary>
/// <param name="Original">As its first packet was, before NAT.</param>
/// <param name="Reply">As its answers are when they arrive: their source is where NAT sent the first packet to.</param>
public sealed record ConntrackEntry(ConntrackTuple Original, ConntrackTuple Reply)
{
    internal byte[] RawOriginal { get; init; } = [];

    internal byte[] RawId { get; init; } = [];

    internal byte[] RawZone { get; init; } = [];

    public override string ToString() => Original.ToString();
}
