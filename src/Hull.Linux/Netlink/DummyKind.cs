namespace Hull.Linux.Netlink;

/// <summary>A link that leads nowhere: a place for addresses, and the parent of macvlans that meet only each other.</summary>
public sealed record DummyKind : LinkKind
{
    public override string Name => "dummy";

    internal override void WriteData(NetlinkWriter writer)
    {
    }
}
