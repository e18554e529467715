using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>A host between two others: whether it is a router for them is not hull's to decide.</summary>
public sealed class ForwardingTests : NetworkTest
{
    private const string Other = "198.51.100.2";
    private const string Other6 = "2001:db8:51::2";
    private const int Port = 7000;

    private static readonly string[] Settings = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];

    private readonly string[] _before = [.. Settings.Select(Read)];
    private readonly TestNamespace _other = new();

    /// <summary>Beside the wire to <see cref="NetworkTest.Outside"/> one to another host, and each has a route to the other by this one.</summary>
    public ForwardingTests(HullStore store)
        : base(store)
    {
        using (Rtnetlink here = Rtnetlink.Open())
        {
            here.AddLink(new LinkSettings { Name = "second", Up = true }, new VethKind(new LinkSettings { Name = "eth0", Namespace = _other.Namespace }));
            OutsideHost.Sysctl("ipv6/conf/second/accept_dad", "0");
            int index = here.GetLink("second").Index;
            here.AddAddress(index, IPAddress.Parse("198.51.100.1"), 24);
            here.AddAddress(index, IPAddress.Parse("2001:db8:51::1"), 64);
        }

        foreach (string line in new[] { $"addr add {Other}/24 dev eth0", $"addr add {Other6}/64 dev eth0", "link set eth0 up", "route add default via 198.51.100.1", "route add default via 2001:db8:51::1" })
        {
            _other.Run("ip", line.Split(' ')).Ok();
        }

        Outside.RouteThroughHull("198.51.100.0/24");
        Outside.Run("ip", "route", "add", "2001:db8:51::/64", "via", OutsideHost.HullAddress6).Ok();
        Network("net", "--ipv6");
    }

    [KernelFact(Needs.Nftables)]
    public void HostThatWasNoRouter_IsOneForItsContainersAlone()
    {
        Set("0", "0");
        using Socket listener = FirewallHost.Listen(_other, Other, Port);
        using Socket listener6 = FirewallHost.Listen(_other, Other6, Port);

        Web("web", "--network", "net", "-p", "8080:80");

        Assert.True(Outside.IsShut(Other, Port));
        Assert.True(Outside.IsShut(Other6, Port));
        Assert.True(Reaches("web", Other, Port));
        Assert.True(Reaches("web", Other6, Port));
        Assert.Equal($"web saw {OutsideHost.Address}", Outside.Fetch(OutsideHost.HullAddress, 8080));
        Assert.Equal(["1", "1"], Settings.Select(Read));

        OnHost("nft", "flush ruleset");
        Hull("ps").Ok();
        Assert.True(Outside.IsShut(Other, Port));

        // What the administrator lets pass does.
        OnHost("nft", "add rule inet hull hull-user iifname wire oifname second accept");
        Assert.True(Outside.Connects(Other, Port));
        OnHost("nft", "flush chain inet hull hull-user");

        Hull("rm", "-f", "web").Ok();
        Assert.Equal(["0", "0"], Settings.Select(Read));
    }

    [KernelFact(Needs.Nftables)]
    public void HostThatWasARouter_StaysOne()
    {
        Set("1", "1");
        using Socket listener = FirewallHost.Listen(_other, Other, Port);
        using Socket listener6 = FirewallHost.Listen(_other, Other6, Port);

        Detached("box", ["--network", "net"]);

        Assert.True(Outside.Connects(Other, Port));
        Assert.True(Outside.Connects(Other6, Port));
        Hull("rm", "-f", "box").Ok();
        Assert.Equal(["1", "1"], Settings.Select(Read));
    }

    [KernelFact(Needs.Nftables)]
    public void AnotherEngine_ThatCameLater_IsForwardedFor_AndKeepsTheRouter()
    {
        Set("0", "0");
        using Socket listener = FirewallHost.Listen(_other, Other, Port);
        Web("web", "--network", "net");
        Assert.True(Outside.IsShut(Other, Port));

        try
        {
            // Its bridge, and a table of its own.
            OnHost("ip", "link", "add", "engine0", "type", "bridge");
            OnHost("ip", "addr", "flush", "dev", "second");
            OnHost("ip", "link", "set", "second", "master", "engine0");
            OnHost("ip", "addr", "add", "198.51.100.1/24", "dev", "engine0");
            OnHost("ip", "link", "set", "engine0", "up");
            OnHost("nft", "add table ip engine");

            Assert.True(Outside.Connects(Other, Port));
            Hull("rm", "-f", "web").Ok();
            Assert.Equal("1", Read(Settings[0]));
            Assert.True(Outside.Connects(Other, Port));
        }
        finally
        {
            Store.Shell("nft delete table ip engine; ip link del engine0");
        }
    }

    public override void Dispose()
    {
        using (Rtnetlink here = Rtnetlink.Open())
        {
            here.DeleteLink("second");
        }

        _other.Dispose();
        base.Dispose();
        Set(_before[0], _before[1]);
        GC.SuppressFinalize(this);
    }

    private static void Set(params string[] values)
    {
        foreach ((string setting, string value) in Settings.Zip(values))
        {
            OutsideHost.Sysctl(setting, value);
        }
    }

    private static string Read(string setting) => File.ReadAllText("/proc/sys/net/" + setting).Trim();
}
