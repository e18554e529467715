namespace Hull.Linux.Netlink;

/// <summary>A link with the MAC address of another and IP addresses of its own.</summary>
/// <param name="ParentIndex">In the namespace of the socket.</param>
public sealed record IpvlanKind(int ParentIndex, IpvlanMode Mode = IpvlanMode.L2, IpvlanIsolation Isolation = IpvlanIsolation.Bridge) : LinkKind
{
    private const ushort ModeNumber = 1;
    private const ushort FlagsNumber = 2;

    public override string Name => "ipvlan";

    internal override int? Parent => ParentIndex;

    internal override void WriteData(NetlinkWriter writer)
    {
        writer.PutUInt16(ModeNumber, (ushort)Mode);
        writer.PutUInt16(FlagsNumber, (ushort)Isolation);
    }
}
