namespace Hull.Linux.Netlink;

/// <summary>What kind of virtual link is made, with its own settings (IFLA_LINKINFO).</summary>
public abstract record LinkKind
{
    /// <summary>As the kernel spells it, and <c>ip link add … type</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The index of the link that it stands on; null where it stands by itself.</summary>
    internal virtual int? Parent => null;

    internal abstract void WriteData(NetlinkWriter writer);
}
