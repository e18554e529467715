using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Networking.Firewall;

/// <summary>hull's firewall in one network namespace: two tables of nf_tables, <c>inet hull</c> and <c>bridge hull</c>, beside those of
/// others. Synchronous, not thread-safe; each change is one transaction.</summary>
/// <remarks>What may go where:
/// <list type="bullet">
/// <item>containers out to the world, masqueraded, unless their network is internal;</item>
/// <item>anyone to published ports, and to nothing else of a container: not by a route to its address either;</item>
/// <item>containers to each other on one network, unless that forbids it; never to another network but by published ports;</item>
/// <item>nobody but the host itself to 127.0.0.0/8;</item>
/// <item>others through the host only in families that hull did not make it a router for (<see cref="FirewallState.Guarded"/>), or by links that
/// are made to be forwarded for: bridges, tunnels;</item>
/// <item>containers send from their own MAC and IP addresses only.</item>
/// </list>
/// The chain <c>hull-user</c> of <c>inet hull</c> is the administrator's: hull makes it, jumps to it before anything new is let in or
/// out, and never changes its rules. <c>nft add rule inet hull hull-user ip saddr != 192.0.2.0/24 drop</c> keeps published ports for
/// one network. The destination is the container's there; <c>meta l4proto tcp ct original proto-dst 8080</c> asks for the published port.
/// The caller sets <c>net.ipv4.ip_forward</c> (and IPv6's), <c>route_localnet</c> on the bridges and
/// <see cref="BridgePort.Hairpin"/> on their ports: where br_netfilter is loaded a container reaches its own published port only so.</remarks>
public sealed class HullFirewall : IDisposable
{
    /// <summary>What iptables-legacy has loaded, by name; not there where the kernel has none of it.</summary>
    private static readonly string[] OlderTables = ["/proc/thread-self/net/ip_tables_names", "/proc/thread-self/net/ip6_tables_names"];

    private readonly NftSocket _tables;

    private HullFirewall(NftSocket tables) => _tables = tables;

    /// <param name="networkNamespace">Null is the calling thread's.</param>
    public static HullFirewall Open(NetworkNamespace? networkNamespace = null) => new(NftSocket.Open(networkNamespace));

    /// <summary>The commands of <see cref="Apply"/>, as nft(8) takes them.</summary>
    public static string Explain(FirewallState state)
    {
        using NftTransaction transaction = Whole(state);
        return transaction.ToString();
    }

    /// <summary>Makes the tables anew, whatever is there of them; only the administrator's chain stays as it is. Connections go on.</summary>
    public void Apply(FirewallState state)
    {
        using NftTransaction transaction = Whole(state);
        _tables.Commit(transaction);
    }

    /// <summary>What the tables lack, or have otherwise, in words; null where they are whole. Costs some dumps: ask where
    /// <see cref="Generation"/> has changed.</summary>
    public string? WhatIsMissing(FirewallState state)
    {
        using NftTransaction transaction = Whole(state);
        foreach (NftTable table in new[] { FirewallTables.Inet, FirewallTables.Bridge })
        {
            NftContent? content = _tables.Read(table);
            if (content is null)
            {
                return $"table {table} is gone";
            }

            if (transaction.Content(table).WhatLacks(content) is string difference)
            {
                return $"table {table}: {difference}";
            }
        }

        return null;
    }

    /// <summary>Where a docker on the same host drops what it does not know: lets exactly these bridges pass there.</summary>
    /// <param name="bridges">Asked for only where there is such a docker.</param>
    public void PassDocker(Func<IEnumerable<string>> bridges) => new DockerFilter(_tables).LetPass(bridges);

    /// <summary>Whether anybody else has rules in this namespace, by nf_tables or by the older ip_tables.</summary>
    public bool HasNeighbours() =>
        _tables.Tables().Exists(static table => table != FirewallTables.Inet && table != FirewallTables.Bridge)
        || OlderTables.Any(static list => File.Exists(list) && File.ReadAllText(list).Length > 0);

    /// <summary>A number that every change of the namespace's tables raises, hull's and others'.</summary>
    public uint Generation() => _tables.Generation();

    /// <exception cref="SyscallException">ENOENT where the tables are gone: <see cref="Apply"/> makes them.</exception>
    public void Add(FirewallNetwork network) => Change(FirewallElements.Of(network), add: true);

    /// <inheritdoc cref="Add(FirewallNetwork)"/>
    public void Remove(FirewallNetwork network) => Change(FirewallElements.Of(network), add: false);

    /// <summary>Adds all of it in one transaction; what is there already stays.</summary>
    /// <inheritdoc cref="Add(FirewallEndpoint, IReadOnlyCollection{FirewallPort})" path="/exception"/>
    public void Add(FirewallState more) => Change(FirewallElements.Of(more), add: true);

    /// <summary>Removes all of it in one transaction.</summary>
    /// <exception cref="SyscallException">ENOENT where the tables, or one of the elements, are gone; nothing is removed then.</exception>
    public void Remove(FirewallState less) => Change(FirewallElements.Of(less), add: false);

    /// <summary>Lets a container send, and in at its published ports.</summary>
    /// <exception cref="SyscallException">ENOENT where the tables are gone; EEXIST where a port is published to another container.</exception>
    public void Add(FirewallEndpoint endpoint, params IReadOnlyCollection<FirewallPort> ports) =>
        Change(FirewallElements.Of(endpoint).Concat(ports.Select(FirewallElements.Of)), add: true);

    /// <exception cref="SyscallException">ENOENT where the tables, or one of the elements, are gone.</exception>
    public void Remove(FirewallEndpoint endpoint, params IReadOnlyCollection<FirewallPort> ports) =>
        Change(FirewallElements.Of(endpoint).Concat(ports.Select(FirewallElements.Of)), add: false);

    /// <summary>Removes the tables, after the last container. Where the administrator's chain has rules it stays, with nothing else.</summary>
    public void Clear()
    {
        List<NftTable> tables = _tables.Tables();
        using NftTransaction transaction = new();
        if (tables.Contains(FirewallTables.Bridge))
        {
            transaction.DeleteTable(FirewallTables.Bridge);
        }

        if (tables.Contains(FirewallTables.Inet))
        {
            NftContent content = _tables.Read(FirewallTables.Inet)!;
            if (content.Rules(FirewallTables.User.Name) is null or 0)
            {
                transaction.DeleteTable(FirewallTables.Inet);
            }
            else
            {
                RemoveAllButUser(transaction, content);
            }
        }

        _tables.Commit(transaction);
    }

    public void Dispose() => _tables.Dispose();

    private static NftTransaction Whole(FirewallState state)
    {
        NftTransaction transaction = new();
        transaction.AddTable(FirewallTables.Inet);
        transaction.AddTable(FirewallTables.Bridge);
        // Unknown how many rules it has, so it is no part of what is compared.
        transaction.AddChain(FirewallTables.User);
        foreach (NftChain chain in FirewallTables.Chains)
        {
            transaction.AddChain(chain);
            transaction.FlushChain(chain);
        }

        foreach (NftSet set in FirewallTables.Sets)
        {
            transaction.AddSet(set);
            transaction.FlushSet(set);
        }

        AddElements(transaction, FirewallElements.Of(state));
        FirewallTables.AddRules(transaction);
        return transaction;
    }

    private void Change(IEnumerable<FirewallElement> elements, bool add)
    {
        using NftTransaction transaction = new();
        if (add)
        {
            AddElements(transaction, elements);
        }
        else
        {
            foreach (IGrouping<NftSet, NftElement> group in elements.GroupBy(pair => pair.Set, pair => pair.Element))
            {
                transaction.DeleteElements(group.Key, [.. group]);
            }
        }

        _tables.Commit(transaction);
    }

    private static void AddElements(NftTransaction transaction, IEnumerable<FirewallElement> elements)
    {
        foreach (IGrouping<NftSet, NftElement> group in elements.GroupBy(pair => pair.Set, pair => pair.Element))
        {
            transaction.AddElements(group.Key, [.. group]);
        }
    }

    private static void RemoveAllButUser(NftTransaction transaction, NftContent content)
    {
        foreach (NftChain chain in FirewallTables.Chains.Where(chain => chain.Table == FirewallTables.Inet && content.Rules(chain.Name) is not null))
        {
            transaction.FlushChain(chain);
        }

        foreach (NftChain chain in FirewallTables.Chains.Where(chain => chain.Table == FirewallTables.Inet && content.Rules(chain.Name) is not null))
        {
            transaction.DeleteChain(chain);
        }

        foreach (NftSet set in FirewallTables.Sets.Where(set => set.Table == FirewallTables.Inet && content.Elements(set.Name) is not null))
        {
            transaction.DeleteSet(set);
        }
    }
}
