namespace Hull.Linux.Netlink;

/// <summary>A pair of links, each the other's wire. Either end's removal removes both.</summary>
/// <param name="Peer">The other end, born where its <see cref="LinkSettings.Namespace"/> says, in the same message.</param>
public sealed record VethKind(LinkSettings Peer) : LinkKind
{
    private const ushort InfoPeer = 1;

    public override string Name => "veth";

    internal override void WriteData(NetlinkWriter writer)
    {
        Span<byte> ifinfomsg = stackalloc byte[RouteMessage.LinkBytes];
        ifinfomsg.Clear();
        Peer.WriteFixedPart(ifinfomsg);
        using (writer.Open(InfoPeer, ifinfomsg))
        {
            Peer.Write(writer);
        }
    }
}
