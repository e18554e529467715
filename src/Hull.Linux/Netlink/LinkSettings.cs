using System.Buffers.Binary;

namespace Hull.Linux.Netlink;

/// <summary>What a new link is to be.</summary>
public sealed record LinkSettings
{
    /// <summary>1 to 15 bytes, without <c>/</c>, <c>:</c> and white space.</summary>
    public required string Name { get; init; }

    /// <summary>Null: the kernel takes a random one, or for macvlan and ipvlan what their kind has.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Bytes; null is the kind's own.</summary>
    public int? Mtu { get; init; }

    /// <summary>The index of the bridge whose port it becomes. Not for the peer of a veth: the kernel would not look at it.</summary>
    public int? Master { get; init; }

    /// <summary>Switched on in the same message. Not for the peer of a veth, which cannot be on before the link is there (ENOTCONN):
    /// switch it on afterwards, in its namespace.</summary>
    public bool Up { get; init; }

    /// <summary>Where it is born; null is the socket's namespace.</summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>A struct ifinfomsg that switches it on, or not.</summary>
    internal void WriteFixedPart(Span<byte> ifinfomsg)
    {
        if (Up)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[8..], (uint)LinkFlags.Up);
            BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[12..], (uint)LinkFlags.Up);
        }
    }

    internal void Write(NetlinkWriter writer)
    {
        writer.PutString(LinkAttribute.Name, Name);
        if (Mac is MacAddress mac)
        {
            Span<byte> bytes = stackalloc byte[MacAddress.Length];
            mac.CopyTo(bytes);
            writer.Put(LinkAttribute.Address, bytes);
        }

        if (Mtu is int mtu)
        {
            writer.PutUInt32(LinkAttribute.Mtu, (uint)mtu);
        }

        if (Master is int master)
        {
            writer.PutUInt32(LinkAttribute.Master, (uint)master);
        }

        if (Namespace is not null)
        {
            writer.PutUInt32(LinkAttribute.NamespaceDescriptor, (uint)Files.Fd(Namespace.Handle));
        }
    }
}
