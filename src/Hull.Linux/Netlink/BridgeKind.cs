namespace Hull.Linux.Netlink;

/// <summary>A switch in the kernel.</summary>
public sealed record BridgeKind : LinkKind
{
    private const ushort ForwardDelayNumber = 1;
    private const ushort AgeingTimeNumber = 4;
    private const ushort MulticastSnoopingNumber = 23;

    // Times are in clock_t, which is a hundredth of a second whatever CONFIG_HZ is (USER_HZ).
    private const double ClockTicks = 100;

    public override string Name => "bridge";

    /// <summary>How long a new port listens before it forwards. The kernel's own 15 s matter to spanning trees; without one (the
    /// default) ports forward at once whatever this is, and zero says so.</summary>
    public TimeSpan ForwardDelay { get; init; } = TimeSpan.Zero;

    /// <summary>How long it remembers behind which port an address is; null is the kernel's 300 s.</summary>
    public TimeSpan? AgeingTime { get; init; }

    /// <summary>Whether multicast goes only where it was asked for; null is the kernel's default (yes).</summary>
    public bool? MulticastSnooping { get; init; }

    internal override void WriteData(NetlinkWriter writer)
    {
        writer.PutUInt32(ForwardDelayNumber, Ticks(ForwardDelay));
        if (AgeingTime is TimeSpan ageing)
        {
            writer.PutUInt32(AgeingTimeNumber, Ticks(ageing));
        }

        if (MulticastSnooping is bool snooping)
        {
            writer.PutByte(MulticastSnoopingNumber, snooping ? (byte)1 : (byte)0);
        }
    }

    private static uint Ticks(TimeSpan time) => (uint)(time.TotalSeconds * ClockTicks);
}
