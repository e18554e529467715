namespace Hull.Linux.Netlink;

/// <summary>How ipvlan links on one parent see each other (IPVLAN_F_ of if_link.h).</summary>
public enum IpvlanIsolation : ushort
{
    /// <summary>Directly.</summary>
    Bridge = 0,

    /// <summary>Not at all.</summary>
    Private = 1,

    /// <summary>By way of the switch outside.</summary>
    Vepa = 2,
}
