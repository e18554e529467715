using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>A bridge network's link on the host: there while the network has endpoints.</summary>
internal static class BridgeLink
{
    /// <summary>Written on links of ours, so that a bridge that was there before stays there after.</summary>
    private static string AliasOf(string network) => "hull network " + network;

    /// <summary>Makes the bridge where it is missing, and gives it the network's gateway addresses. Under the networks' lock.</summary>
    /// <returns>Its index.</returns>
    /// <exception cref="NetworkException">Conflict: the host has a link of that name which is no bridge.</exception>
    public static int Ensure(Rtnetlink links, NetworkConfig network)
    {
        string name = network.BridgeName;
        string born = NetworkConfig.BridgeNameOf(network.Id);
        if (links.FindLink(name) is { } found)
        {
            if (found.Kind != "bridge")
            {
                throw NetworkException.Conflict($"network {network.Name}: the host has a link {name} that is not a bridge: remove it, or name another with --opt {NetworkOptions.BridgeName}=NAME");
            }

            bool isOurs = found.Alias == AliasOf(network.Id);
            if (isOurs || name != born)
            {
                if (!isOurs)
                {
                    // The user's own bridge, named by an option: it keeps what it has, and gets the gateway's addresses.
                    Configure(links, network, found.Index, name);
                }

                if (!found.IsUp)
                {
                    links.SetUp(found.Index);
                }

                return found.Index;
            }
        }

        // Whoever is killed on the way leaves one that is known for hull's by its name, and for half made by what it lacks: the alias, or
        // the name that it was to get.
        links.DeleteLink(born);
        links.AddLink(
            new LinkSettings { Name = born, Mac = RandomMac(), Mtu = MtuOf(network) },
            new BridgeKind());
        int index = links.GetLink(born).Index;
        Configure(links, network, index, born);
        links.SetAlias(index, AliasOf(network.Id));
        if (name != born)
        {
            links.SetName(index, name);
        }

        links.SetUp(index);
        return index;
    }

    /// <summary>Removes the bridge where it is ours.</summary>
    public static void Remove(Rtnetlink links, NetworkConfig network)
    {
        links.DeleteLink(NetworkConfig.BridgeNameOf(network.Id));
        if (links.FindLink(network.BridgeName) is { } found && found.Alias == AliasOf(network.Id))
        {
            links.DeleteLink(found.Index);
        }
    }

    /// <summary>Removes the bridge of a network of which the id alone is known.</summary>
    public static void Remove(Rtnetlink links, string network)
    {
        links.DeleteLink(NetworkConfig.BridgeNameOf(network));
        foreach (Link link in links.Links().FindAll(link => link.Alias == AliasOf(network)))
        {
            links.DeleteLink(link.Index);
        }
    }

    public static int? MtuOf(NetworkConfig network) =>
        network.Option(NetworkOptions.Mtu) is { } mtu ? int.Parse(mtu, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>A bridge without one of its own takes its ports' lowest, and another whenever a port goes.</summary>
    private static MacAddress RandomMac()
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        KernelRandom.Fill(bytes);
        // Locally administered, of one station.
        bytes[0] = 0x02;
        return new MacAddress(bytes);
    }

    private static void Configure(Rtnetlink links, NetworkConfig network, int index, string name)
    {
        // A container must not be the host's router (CVE-2020-13401), and a network without IPv6 has none at all (CVE-2024-32473). Both
        // before the link is up: then it would take its link-local address.
        Sysctl.Set($"ipv6/conf/{name}/accept_ra", "0");
        Sysctl.Set($"ipv6/conf/{name}/disable_ipv6", network.EnableIPv6 ? "0" : "1");
        // The link-local address serves at once: as long as it is asked for (a second or two), nothing is forwarded to a container whose
        // neighbour entry is missing (ndisc_solicit wants a source of its own). Nobody else has it: it comes from the bridge's own MAC.
        Sysctl.Set($"ipv6/conf/{name}/accept_dad", "0");
        // What the host sends to a published port at 127.0.0.1 leaves through here; the firewall drops what comes in so.
        Sysctl.Set($"ipv4/conf/{name}/route_localnet", "1");
        foreach (IpamConfig pool in network.Pools)
        {
            if (pool.Gateway is { } gateway)
            {
                links.AddAddress(index, gateway, pool.Subnet.PrefixLength);
            }
        }
    }
}
