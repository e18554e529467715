namespace Hull.Linux.Netlink;

/// <summary>The kernel's end of a netlink socket, netlink(7).</summary>
public enum NetlinkProtocol
{
    /// <summary>NETLINK_ROUTE: links, addresses, routes; rtnetlink(7).</summary>
    Route = 0,

    /// <summary>NETLINK_NETFILTER: nf_tables and connection tracking.</summary>
    Netfilter = 12,
}

/// <summary>nlmsg_flags of a request (include/uapi/linux/netlink.h).</summary>
[Flags]
public enum NetlinkFlags : ushort
{
    None = 0,
    Request = 0x1,
    Acknowledge = 0x4,

    /// <summary>NLM_F_ROOT | NLM_F_MATCH: all objects rather than one.</summary>
    Dump = 0x300,

    /// <summary>What exists is replaced.</summary>
    Replace = 0x100,

    /// <summary>What exists is an error, EEXIST.</summary>
    Exclusive = 0x200,

    /// <summary>What does not exist is made.</summary>
    Create = 0x400,

    /// <summary>At the end of the list.</summary>
    Append = 0x800,
}
