using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink;
using Hull.Networking.Firewall;
using Hull.Networking.Host;

namespace Hull.Networking.Tests;

public sealed class StaleConnectionsTests
{
    [Theory]
    [InlineData("0.0.0.0", "192.0.2.1", "172.17.0.9", 53, true)]
    [InlineData("0.0.0.0", "192.0.2.1", "172.17.0.2", 54, true)]
    [InlineData("0.0.0.0", "192.0.2.1", "192.0.2.1", 5353, true)]
    [InlineData("0.0.0.0", "127.0.0.5", "172.17.0.9", 53, true)]
    [InlineData("0.0.0.0", "192.0.2.1", "172.17.0.2", 53, false)]
    [InlineData("0.0.0.0", "9.9.9.9", "9.9.9.9", 5353, false)]
    [InlineData("127.0.0.1", "127.0.0.1", "172.17.0.9", 53, true)]
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.1", 5353, false)]
    [InlineData("::", "2001:db8::1", "fd00::9", 53, true)]
    [InlineData("::", "2001:db8::1", "fd00::2", 53, false)]
    public void IsStale_WhereItLeads_IsNotTheContainer(string published, string sentTo, string leadsTo, int leadsToPort, bool expected)
    {
        bool ipv6 = published.Contains(':', StringComparison.Ordinal);
        IPAddress client = IPAddress.Parse(ipv6 ? "2001:db8::7" : "192.0.2.7");
        ConntrackEntry entry = new(
            new ConntrackTuple(ProtocolType.Udp, client, 4000, IPAddress.Parse(sentTo), 5353),
            new ConntrackTuple(ProtocolType.Udp, IPAddress.Parse(leadsTo), leadsToPort, client, 4000));
        FirewallPort port = new(ProtocolType.Udp, new IPEndPoint(IPAddress.Parse(published), 5353), new IPEndPoint(IPAddress.Parse(ipv6 ? "fd00::2" : "172.17.0.2"), 53));

        Assert.Equal(expected, StaleConnections.IsStale(entry, port, new HashSet<IPAddress> { IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1") }));
    }
}
