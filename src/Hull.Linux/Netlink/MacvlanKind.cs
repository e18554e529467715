namespace Hull.Linux.Netlink;

/// <summary>A link with an address of its own on the wire of another.</summary>
/// <param name="ParentIndex">In the namespace of the socket.</param>
public sealed record MacvlanKind(int ParentIndex, MacvlanMode Mode = MacvlanMode.Bridge) : LinkKind
{
    private const ushort ModeNumber = 1;

    public override string Name => "macvlan";

    internal override int? Parent => ParentIndex;

    internal override void WriteData(NetlinkWriter writer) => writer.PutUInt32(ModeNumber, (uint)Mode);
}
