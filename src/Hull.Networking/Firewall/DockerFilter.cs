using Hull.Linux.Netlink.Nftables;

namespace Hull.Networking.Firewall;

/// <summary>The filter tables of a docker on the same host, whose chain FORWARD drops by its policy what is not docker's (with br_netfilter also
/// what stays on one bridge). hull's bridges pass in the chain that docker leaves to others, DOCKER-USER; what may go there is the matter of
/// hull's own table.</summary>
/// <remarks>Rules as iptables-nft writes them: a table with anything else it does not touch any more, and docker works with it. The tables of
/// iptables-legacy are another part of the kernel and not seen here.</remarks>
internal sealed class DockerFilter(NftSocket tables)
{
    /// <summary>hull's own chain in docker's table; there while it has rules.</summary>
    public const string Own = "HULL";

    private const string User = "DOCKER-USER";

    private static readonly NftTable[] Filters = [new(NftFamily.Ip, "filter"), new(NftFamily.Ip6, "filter")];

    /// <summary>Lets these bridges pass, and no others of hull's. Nothing where no docker is.</summary>
    /// <param name="bridges">Asked for only where a docker is.</param>
    public void LetPass(Func<IEnumerable<string>> bridges)
    {
        foreach (NftTable filter in Filters)
        {
            NftChain user = new(filter, User);
            if (tables.Contains(user))
            {
                LetPass(user, new NftChain(filter, Own), [.. bridges()]);
            }
        }
    }

    private void LetPass(NftChain user, NftChain own, IReadOnlyCollection<string> bridges)
    {
        IReadOnlyList<ulong> jumps = tables.Jumps(user, own);
        using NftTransaction transaction = new();
        if (bridges.Count > 0)
        {
            transaction.AddChain(own);
            transaction.FlushChain(own);
            foreach (NftValue bridge in bridges.Select(NftValue.LinkName))
            {
                transaction.AddRule(own, Nft.IifName.Is(bridge), NftVerdict.Accept);
                transaction.AddRule(own, Nft.OifName.Is(bridge), NftVerdict.Accept);
            }

            if (jumps.Count == 0)
            {
                transaction.InsertRule(user, NftVerdict.Jump(own));
            }
        }
        else
        {
            foreach (ulong jump in jumps)
            {
                transaction.DeleteRule(user, jump);
            }

            if (tables.Contains(own))
            {
                transaction.FlushChain(own);
                transaction.DeleteChain(own);
            }
        }

        tables.Commit(transaction);
    }
}
