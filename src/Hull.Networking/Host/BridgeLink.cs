using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>A bridge network's link on the host: there while the network has endpoints.</summary>
internal static class BridgeLink
{
    /// <summary>Written on links of ours, so that a bridge that was there before stays there after.</summary>
    private static string AliasOf(string network) => "hull network " + network;

    /// <summary>Makes the bridge where it is missing, and gives it the network's gateway addresses.</summary>
    /// <returns>Its index.</returns>
    /// <exception cref="NetworkException">Conflict: the host has a link of that name which is no bridge.</exception>
    public static int Ensure(Rtnetlink links, NetworkConfig network)
    {
        string name = network.BridgeName;
        if (links.FindLink(name) is { } found)
        {
            if (found.Kind != "bridge")
            {
                throw NetworkException.Conflict($"network {network.Name}: the host has a link {name} that is not a bridge: remove it, or name another with --opt {NetworkOptions.BridgeName}=NAME");
            }

            if (found.Alias != AliasOf(network.Id))
            {
                // The user's own bridge, named by an option: it keeps what it has, and gets the gateway's addresses.
                Configure(links, network, found.Index, name);
            }

            return found.Index;
        }

        links.AddLink(
            new LinkSettings { Name = name, Mac = RandomMac(), Mtu = MtuOf(network) },
            new BridgeKind());
        int index = links.GetLink(name).Index;
        links.SetAlias(index, AliasOf(network.Id));
        Configure(links, network, index, name);
        return index;
    }

    /// <summary>Removes the bridge where it is ours.</summary>
    public static void Remove(Rtnetlink links, NetworkConfig network)
    {
        if (links.FindLink(network.BridgeName) is { } found && found.Alias == AliasOf(network.Id))
        {
            links.DeleteLink(found.Index);
        }
    }

    /// <summary>Removes the bridge of a network of which the id alone is known.</summary>
    public static void Remove(Rtnetlink links, string network)
    {
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

        links.SetUp(index);
    }
}
