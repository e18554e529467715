namespace Hull.Linux.Netlink;

/// <summary>How a bridge treats one of its ports; null leaves a setting as it is (IFLA_BRPORT_ of if_link.h).</summary>
public sealed record BridgePort
{
    /// <summary>Sends packets back out of the port that they came in by: a container that calls its own published port.</summary>
    public bool? Hairpin { get; init; }

    /// <summary>Isolated ports do not see each other (Linux 4.18).</summary>
    public bool? Isolated { get; init; }

    /// <summary>Learns which addresses are behind it.</summary>
    public bool? Learning { get; init; }

    /// <summary>Gets packets for addresses that no port is known to have.</summary>
    public bool? UnicastFlood { get; init; }

    public bool? MulticastFlood { get; init; }

    public bool? BroadcastFlood { get; init; }

    internal void Write(NetlinkWriter writer)
    {
        Put(writer, 4, Hairpin);
        Put(writer, 8, Learning);
        Put(writer, 9, UnicastFlood);
        Put(writer, 27, MulticastFlood);
        Put(writer, 30, BroadcastFlood);
        Put(writer, 33, Isolated);
    }

    private static void Put(NetlinkWriter writer, ushort number, bool? value)
    {
        if (value is bool set)
        {
            writer.PutByte(number, set ? (byte)1 : (byte)0);
        }
    }
}
