using System.Globalization;
using Hull.Networking.Endpoints;
using Hull.Networking.Records;

namespace Hull.Networking.Host;

/// <summary>An endpoint with its network, while a container comes to it or leaves it.</summary>
/// <param name="Lower">The index of the host's link that the endpoint stands on: the network's bridge, or the parent of its macvlans.</param>
internal sealed record Placement(NetworkConfig Network, Endpoint Endpoint, int Lower = 0)
{
    /// <summary>The name of the next link of a container: the network's prefix and the lowest number that is free.</summary>
    /// <param name="others">The endpoints that the container has.</param>
    public static string FreeInterface(NetworkConfig network, IEnumerable<Endpoint> others)
    {
        string prefix = network.Option(NetworkOptions.InterfacePrefix) ?? "eth";
        HashSet<string> taken = [.. others.Select(static endpoint => endpoint.Interface)];
        int number = 0;
        while (taken.Contains(NameOf(number)))
        {
            number++;
        }

        return NameOf(number);

        string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{number}");
    }

    /// <summary>The endpoint whose network is the way out of a family: the highest priority, then the first; null where none leads out.</summary>
    public static Endpoint? WayOut(IReadOnlyList<Placement> placements, bool ipv6)
    {
        Endpoint? best = null;
        foreach ((NetworkConfig network, Endpoint endpoint, _) in placements)
        {
            bool leadsOut = !network.Internal && (ipv6 ? endpoint is { IPv6: not null, Gateway6: not null } : endpoint is { IPv4: not null, Gateway4: not null });
            if (leadsOut && (best is null || endpoint.GatewayPriority > best.GatewayPriority))
            {
                best = endpoint;
            }
        }

        return best;
    }
}
