namespace Hull.Linux.Netlink;

/// <summary>One message of an answer.</summary>
/// <param name="type">nlmsg_type.</param>
/// <param name="payload">What follows the header.</param>
public readonly ref struct NetlinkMessage(ushort type, ReadOnlySpan<byte> payload)
{
    public ushort Type { get; } = type;

    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>The attributes after a fixed part of so many bytes.</summary>
    public NetlinkReader Attributes(int fixedPart) => new(Payload[Math.Min(NetlinkWriter.Align(fixedPart), Payload.Length)..]);
}

/// <summary>Reads an object out of a message.</summary>
/// <returns>Null where the message is none of those asked for.</returns>
public delegate T? NetlinkParser<out T>(NetlinkMessage message)
    where T : class;
