using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink;
using Hull.Networking.Firewall;

namespace Hull.Networking.Tests;

/// <summary>The firewall as a script for nft(8); the kernel tests see that the kernel is told the same.</summary>
public sealed class FirewallScriptTests
{
    private static readonly FirewallNetwork Web = new()
    {
        Bridge = "hull0",
        Subnets = [IPNetwork.Parse("172.30.0.0/16"), IPNetwork.Parse("fd00:30::/64")],
    };

    [Fact]
    public void Explain_NetworksEndpointsPorts_AreElements()
    {
        string[] elements = Elements(new FirewallState(
            [Web],
            [new FirewallEndpoint("veth1", MacAddress.Parse("02:42:ac:1e:00:02"), [IPAddress.Parse("172.30.0.2"), IPAddress.Parse("fd00:30::2")])],
            [
                new FirewallPort(ProtocolType.Tcp, IPEndPoint.Parse("0.0.0.0:8080"), IPEndPoint.Parse("172.30.0.2:80")),
                new FirewallPort(ProtocolType.Udp, IPEndPoint.Parse("127.0.0.1:53"), IPEndPoint.Parse("172.30.0.2:53")),
                new FirewallPort(ProtocolType.Tcp, IPEndPoint.Parse("[::]:8080"), IPEndPoint.Parse("[fd00:30::2]:80")),
            ]));

        Assert.Equal(
        [
            "bridge hull macs { \"veth1\" . 02:42:ac:1e:00:02 }",
            "bridge hull ports { \"veth1\" }",
            "bridge hull senders4 { \"veth1\" . 02:42:ac:1e:00:02 . 172.30.0.2 }",
            "bridge hull senders6 { \"veth1\" . 02:42:ac:1e:00:02 . fd00:30::2 }",
            "inet hull any-ports4 { tcp . 8080 : 172.30.0.2 . 80 }",
            "inet hull any-ports6 { tcp . 8080 : fd00:30::2 . 80 }",
            "inet hull bridges { \"hull0\" }",
            "inet hull inside { \"hull0\" . \"hull0\" }",
            "inet hull masqueraded4 { 172.30.0.0/16 }",
            "inet hull masqueraded6 { fd00:30::/64 }",
            "inet hull own4 { \"hull0\" . 172.30.0.0/16 }",
            "inet hull own6 { \"hull0\" . fd00:30::/64 }",
            "inet hull ports4 { 127.0.0.1 . udp . 53 : 172.30.0.2 . 53 }",
        ], elements);
    }

    [Fact]
    public void Explain_InternalWithoutMasqueradeOrContainers_SaysSo()
    {
        Assert.DoesNotContain(Elements(Of(Web with { Masquerade = false })), line => line.Contains("masqueraded", StringComparison.Ordinal));
        Assert.DoesNotContain(Elements(Of(Web with { InterContainer = false })), line => line.Contains("inside", StringComparison.Ordinal));
        string[] closed = Elements(Of(Web with { Internal = true }));
        Assert.Contains("inet hull internal { \"hull0\" }", closed);
        Assert.DoesNotContain(closed, line => line.Contains("masqueraded", StringComparison.Ordinal));
    }

    [Fact]
    public void Explain_Guarded_AreFamilies()
    {
        Assert.DoesNotContain(Elements(Of(Web)), line => line.Contains("guarded", StringComparison.Ordinal));
        Assert.Contains("inet hull guarded { ipv4, ipv6 }", Elements(Of(Web) with { Guarded = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6] }));
    }

    [Fact]
    public void Explain_HowManyEndpoints_NoMoreRules()
    {
        FirewallEndpoint[] many = [.. Enumerable.Range(0, 500).Select(i => new FirewallEndpoint($"veth{i}", MacAddress.Parse("02:42:ac:1e:00:02"), [IPAddress.Parse($"172.30.1.{i % 250}")]))];

        Assert.Equal(Rules(new FirewallState([], [], [])), Rules(new FirewallState([Web], many, [])));
    }

    [Fact]
    public void Explain_PortOfAnotherFamily_IsRefused()
    {
        FirewallPort port = new(ProtocolType.Tcp, IPEndPoint.Parse("[::]:80"), IPEndPoint.Parse("172.30.0.2:80"));

        Assert.Contains("one is IPv4, the other IPv6", Assert.Throws<ArgumentException>(() => HullFirewall.Explain(new FirewallState([], [], [port]))).Message, StringComparison.Ordinal);
    }

    private static FirewallState Of(FirewallNetwork network) => new([network], [], []);

    private static string[] Elements(FirewallState state) =>
    [
        .. HullFirewall.Explain(state).Split('\n').Where(line => line.StartsWith("add element ", StringComparison.Ordinal)).Select(line => line["add element ".Length..]).Order(StringComparer.Ordinal),
    ];

    private static string[] Rules(FirewallState state) =>
        [.. HullFirewall.Explain(state).Split('\n').Where(line => line.StartsWith("add rule ", StringComparison.Ordinal))];
}
