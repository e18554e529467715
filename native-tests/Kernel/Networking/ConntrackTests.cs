using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Tracked connections are listed and forgotten.</summary>
public sealed class ConntrackTests : IDisposable
{
    private readonly TestNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [KernelTheory(Needs.Nftables)]
    [InlineData("127.0.0.1", AddressFamily.InterNetwork)]
    [InlineData("::1", AddressFamily.InterNetworkV6)]
    public void Delete_ByProtocolAndDestinationPort_LeavesTheOthers(string address, AddressFamily family)
    {
        // Tracking begins with a rule that wants it.
        _host.Run("nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept").Ok();
        using Socket udp = _host.Namespace.Within(() => new Socket(family, SocketType.Dgram, ProtocolType.Udp));
        udp.SendTo("x"u8, new IPEndPoint(IPAddress.Parse(address), 5300));
        udp.SendTo("x"u8, new IPEndPoint(IPAddress.Parse(address), 5301));
        using Conntrack connections = Conntrack.Open(_host.Namespace);
        Assert.Equal([5300, 5301], Ports(connections, family));
        ConntrackEntry first = connections.Entries(family).Single(entry => entry.Original.DestinationPort == 5300);
        Assert.Equal((IPAddress.Parse(address), 5300, first.Original.SourcePort), (first.Reply.Source, first.Reply.SourcePort, first.Reply.DestinationPort));

        Assert.Equal(1, connections.Delete(family, entry =>
            entry.Original is { Protocol: ProtocolType.Udp, DestinationPort: 5300 } && entry.Original.Destination.Equals(IPAddress.Parse(address))));

        Assert.Equal([5301], Ports(connections, family));
    }

    private static int[] Ports(Conntrack connections, AddressFamily family) =>
        [.. connections.Entries(family).Where(entry => entry.Original.Protocol == ProtocolType.Udp).Select(entry => entry.Original.DestinationPort).Order()];
}
