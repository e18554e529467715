using System.Globalization;
using Hull.Linux.Netlink;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>The host's link that the macvlans and ipvlans of a network stand on: one that is there, a VLAN of one (<c>eth0.100</c>), or
/// one that leads nowhere. What hull made of it goes with the last endpoint.</summary>
internal static class ParentLink
{
    /// <summary>Written on VLANs of ours, which several networks may share: one that was there before stays there after.</summary>
    private const string VlanAlias = "hull vlan";

    private const int LargestVlan = 4094;

    /// <summary>Makes the link where it is missing. Under the networks' lock.</summary>
    /// <returns>Its index.</returns>
    /// <exception cref="NetworkException">Invalid: the host has no such link, and it is no VLAN of one that it has.</exception>
    public static int Ensure(Rtnetlink host, NetworkConfig network)
    {
        // docker: without a parent, containers of the network see each other and nobody else.
        string name = network.Option(NetworkOptions.Parent) ?? DummyOf(network.Id);
        if (host.FindLink(name) is { } there)
        {
            if (there.Alias == VlanAlias && !there.IsUp)
            {
                host.SetUp(there.Index);
            }

            return there.Index;
        }

        if (network.Option(NetworkOptions.Parent) is null)
        {
            host.AddLink(new LinkSettings { Name = name, Up = true }, new DummyKind());
            return host.GetLink(name).Index;
        }

        if (VlanOf(name) is not (string trunk, int id) || host.FindLink(trunk) is not { } parent)
        {
            throw NetworkException.Invalid($"network {network.Name}: the host has no link {name}: create the network with --opt parent= and one of {Names(host)}, or a VLAN of one, as in eth0.100");
        }

        // It has its name when it has its alias: whoever is killed before leaves none that looks like another's.
        string born = VlanOfNobody(network.Id);
        host.DeleteLink(born);
        host.AddLink(new LinkSettings { Name = born }, new VlanKind(parent.Index, id));
        int index = host.GetLink(born).Index;
        host.SetAlias(index, VlanAlias);
        host.SetName(index, name);
        host.SetUp(index);
        return index;
    }

    /// <summary>Removes what hull made for networks that have endpoints no more.</summary>
    /// <param name="gone">The network, by its id, whose last endpoint went.</param>
    /// <param name="used">Those that have some.</param>
    public static void Remove(Rtnetlink host, string gone, IEnumerable<NetworkConfig> used)
    {
        // No links of these names are anybody else's.
        host.DeleteLink(DummyOf(gone));
        host.DeleteLink(VlanOfNobody(gone));
        HashSet<string?> parents = [.. used.Select(static network => network.Option(NetworkOptions.Parent))];
        foreach (Link link in host.Links().FindAll(link => link.Alias == VlanAlias && !parents.Contains(link.Name)))
        {
            host.DeleteLink(link.Index);
        }
    }

    /// <summary><c>eth0.100</c> is the VLAN 100 of eth0, as docker has it; null for a name that says none.</summary>
    internal static (string Trunk, int Id)? VlanOf(string name)
    {
        int dot = name.LastIndexOf('.');
        return dot > 0 && int.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id is > 0 and <= LargestVlan
            ? (name[..dot], id)
            : null;
    }

    private static string VlanOfNobody(string network) => "vl-" + network[..12];

    private static string DummyOf(string network) => "dm-" + network[..12];

    private static string Names(Rtnetlink host) =>
        string.Join(", ", host.Links().Where(static link => link.Kind is null && link.Name != "lo").Select(static link => link.Name));
}
