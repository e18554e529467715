using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink;
using Hull.Networking.Firewall;

namespace Hull.Networking.Host;

/// <summary>Tracked UDP "connections" to ports of the host that now lead elsewhere: rules of NAT are asked for the first packet only, so a
/// client that goes on sending would go on to a container that has ended, or to the host itself.</summary>
internal static class StaleConnections
{
    /// <summary>Forgets them. Reads all tracked connections of a family for which a UDP port is published; nothing where none is.</summary>
    /// <param name="ports">Published anew; the firewall has them already.</param>
    /// <exception cref="Hull.Linux.SyscallException">The kernel does not list connections (CONFIG_NF_CT_NETLINK).</exception>
    public static void Forget(IReadOnlyCollection<FirewallPort> ports)
    {
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            Dictionary<int, FirewallPort[]> published = ports.Where(port => port.Protocol == ProtocolType.Udp && port.Host.AddressFamily == family)
                .GroupBy(static port => port.Host.Port).ToDictionary(static group => group.Key, static group => group.ToArray());
            if (published.Count > 0)
            {
                using Rtnetlink links = Rtnetlink.Open();
                HashSet<IPAddress> own = [.. links.Addresses(family).Select(static one => one.Address)];
                using Conntrack connections = Conntrack.Open();
                connections.Delete(family, entry => entry.Original.Protocol == ProtocolType.Udp
                    && published.TryGetValue(entry.Original.DestinationPort, out FirewallPort[]? candidates)
                    && Array.Exists(candidates, port => IsStale(entry, port, own)));
            }
        }
    }

    /// <param name="own">The host's addresses: what it sends to a port of that number elsewhere is left alone.</param>
    internal static bool IsStale(ConntrackEntry entry, FirewallPort port, IReadOnlySet<IPAddress> own)
    {
        IPAddress to = entry.Original.Destination;
        bool isAny = port.Host.Address.Equals(IPAddress.Any) || port.Host.Address.Equals(IPAddress.IPv6Any);
        bool isOurs = isAny ? own.Contains(to) || IPAddress.IsLoopback(to) : port.Host.Address.Equals(to);
        bool leadsThere = entry.Reply.Source.Equals(port.Container.Address) && entry.Reply.SourcePort == port.Container.Port;
        return isOurs && !leadsThere;
    }
}
