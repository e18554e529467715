namespace Hull.Linux.Netlink;

/// <summary>How macvlan links on one parent see each other (MACVLAN_MODE_ of if_link.h).</summary>
public enum MacvlanMode
{
    /// <summary>Not at all.</summary>
    Private = 1,

    /// <summary>By way of the switch outside.</summary>
    Vepa = 2,

    /// <summary>Directly. docker's default.</summary>
    Bridge = 4,

    /// <summary>There is one link only, with the parent's address.</summary>
    Passthru = 8,
}
