using Hull.Linux.Netlink;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>The host's link that the macvlans and ipvlans of a network stand on: one that is there, or one that leads nowhere, which goes with
/// the last endpoint.</summary>
internal static class ParentLink
{
    /// <summary>Makes the link where it is missing. Under the networks' lock.</summary>
    /// <returns>Its index.</returns>
    /// <exception cref="NetworkException">Invalid: the host has no such link.</exception>
    public static int Ensure(Rtnetlink host, NetworkConfig network)
    {
        // docker: without a parent, containers of the network see each other and nobody else.
        string name = network.Option(NetworkOptions.Parent) ?? DummyOf(network.Id);
        if (host.FindLink(name) is { } there)
        {
            return there.Index;
        }

        if (network.Option(NetworkOptions.Parent) is null)
        {
            host.AddLink(new LinkSettings { Name = name, Up = true }, new DummyKind());
            return host.GetLink(name).Index;
        }

        throw NetworkException.Invalid($"network {network.Name}: the host has no link {name}: create the network with --opt parent= and one of {Names(host)}");
    }

    /// <summary>Removes what hull made for a network, by its id, whose last endpoint went: no link of that name is anybody else's.</summary>
    public static void Remove(Rtnetlink host, string network) => host.DeleteLink(DummyOf(network));

    private static string DummyOf(string network) => "dm-" + network[..12];

    private static string Names(Rtnetlink host) =>
        string.Join(", ", host.Links().Where(static link => link.Kind is null && link.Name != "lo").Select(static link => link.Name));
}
