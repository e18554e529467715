namespace Hull.Linux.Netlink;

/// <summary>The frames of one VLAN (IEEE 802.1Q) of another link.</summary>
/// <param name="ParentIndex">In the namespace of the socket.</param>
/// <param name="Id">1 to 4094.</param>
public sealed record VlanKind(int ParentIndex, int Id) : LinkKind
{
    private const ushort IdNumber = 1;

    public override string Name => "vlan";

    internal override int? Parent => ParentIndex;

    internal override void WriteData(NetlinkWriter writer) => writer.PutUInt16(IdNumber, (ushort)Id);
}
