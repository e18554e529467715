using System.Text.Json;
using Hull.Kernel.Tests.Harness;
using Hull.Linux;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Links made over rtnetlink, as ip(8) sees them.</summary>
public sealed class LinkTests : IDisposable
{
    private static readonly MacAddress Mac = MacAddress.Parse("02:42:ac:11:00:02");

    private readonly TestNamespace _host = new();
    private readonly Rtnetlink _links;

    public LinkTests() => _links = Rtnetlink.Open(_host.Namespace);

    public void Dispose()
    {
        _links.Dispose();
        _host.Dispose();
    }

    [KernelFact(Needs.Links)]
    public void AddLink_Bridge_HasItsSettings()
    {
        _links.AddLink(
            new LinkSettings { Name = "br0", Mac = Mac, Mtu = 1400, Up = true },
            new BridgeKind { AgeingTime = TimeSpan.FromSeconds(60), MulticastSnooping = false });
        _links.SetAlias(_links.GetLink("br0").Index, "hull network web");

        JsonElement seen = _host.IpOne("link", "show", "br0");
        JsonElement data = seen.GetProperty("linkinfo").GetProperty("info_data");
        Assert.Equal("bridge", seen.GetProperty("linkinfo").GetProperty("info_kind").GetString());
        Assert.Equal(Mac.ToString(), seen.GetProperty("address").GetString());
        Assert.Equal(1400, seen.GetProperty("mtu").GetInt32());
        Assert.Equal("hull network web", seen.GetProperty("ifalias").GetString());
        Assert.Contains("UP", seen.GetProperty("flags").EnumerateArray().Select(flag => flag.GetString()));
        Assert.Equal((0, 6000, 0), (data.GetProperty("forward_delay").GetInt32(), data.GetProperty("ageing_time").GetInt32(), data.GetProperty("mcast_snooping").GetInt32()));

        Link link = _links.GetLink("br0");
        Assert.Equal(
            new Link { Index = seen.GetProperty("ifindex").GetInt32(), Name = "br0", Kind = "bridge", Mac = Mac, Mtu = 1400, Flags = link.Flags, Alias = "hull network web" },
            link);
        Assert.True(link.IsUp);
    }

    [KernelFact(Needs.Links)]
    public void AddLink_Veth_PeerIsBornInTheOtherNamespace()
    {
        using TestNamespace container = new();
        int bridge = Bridge("br0");

        _links.AddLink(
            new LinkSettings { Name = "veth1", Master = bridge, Mtu = 1300, Up = true },
            new VethKind(new LinkSettings { Name = "eth0", Mac = Mac, Mtu = 1300, Namespace = container.Namespace }));
        using Rtnetlink within = Rtnetlink.Open(container.Namespace);
        within.SetUp(within.GetLink("eth0").Index);

        JsonElement inside = container.IpOne("link", "show", "eth0");
        Assert.Equal((Mac.ToString(), 1300, "UP"),
            (inside.GetProperty("address").GetString(), inside.GetProperty("mtu").GetInt32(), inside.GetProperty("operstate").GetString()));
        JsonElement outside = _host.IpOne("link", "show", "veth1");
        Assert.Equal(("br0", 1300), (outside.GetProperty("master").GetString(), outside.GetProperty("mtu").GetInt32()));
        Link link = _links.GetLink("veth1");
        Assert.Equal((bridge, inside.GetProperty("ifindex").GetInt32(), "veth"), (link.Master!.Value, link.Lower!.Value, link.Kind));
        Assert.NotNull(link.LowerNamespace);
        Assert.Null(_links.FindLink("eth0"));
    }

    [KernelFact(Needs.Links)]
    public void AddLink_Macvlan_EveryMode()
    {
        using TestNamespace container = new();
        int parent = Veth("d0");
        foreach (MacvlanMode mode in new[] { MacvlanMode.Bridge, MacvlanMode.Private, MacvlanMode.Vepa })
        {
            _links.AddLink(new LinkSettings { Name = $"m{mode}", Namespace = container.Namespace }, new MacvlanKind(parent, mode));
            Assert.Equal(mode.ToString().ToLowerInvariant(), Data(container, $"m{mode}").GetProperty("mode").GetString());
        }

        _links.AddLink(new LinkSettings { Name = "mp" }, new MacvlanKind(Veth("d2"), MacvlanMode.Passthru));
        Assert.Equal("passthru", Data(_host, "mp").GetProperty("mode").GetString());
    }

    [KernelFact(Needs.Links | Needs.LinkModules)]
    public void AddLink_IpvlanOnDummy_EveryMode()
    {
        _links.AddLink(new LinkSettings { Name = "d0" }, new DummyKind());
        int second = _links.GetLink("d0").Index;
        Assert.Equal("dummy", _links.GetLink("d0").Kind);
        foreach (IpvlanMode mode in new[] { IpvlanMode.L2, IpvlanMode.L3, IpvlanMode.L3S })
        {
            _links.AddLink(new LinkSettings { Name = $"i{mode}" }, new IpvlanKind(second, mode, IpvlanIsolation.Private));
            // ip(8) has the isolation as a member of its own name.
            Assert.Equal((mode.ToString().ToLowerInvariant(), true),
                (Data(_host, $"i{mode}").GetProperty("mode").GetString()!.ToLowerInvariant(), Data(_host, $"i{mode}").GetProperty("private").GetBoolean()));
            _links.DeleteLink($"i{mode}");
        }
    }

    [KernelFact(Needs.Links)]
    public void AddLink_NameTaken_SaysWhich()
    {
        Veth("d0");

        SyscallException error = Assert.Throws<SyscallException>(() => _links.AddLink(new LinkSettings { Name = "d0" }, new BridgeKind()));

        Assert.Equal(Errno.EEXIST, error.Errno);
        Assert.StartsWith("RTM_NEWLINK bridge d0", error.Message, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Links)]
    public void AddLink_BadName_SaysTheRule()
    {
        SyscallException error = Assert.Throws<SyscallException>(() => _links.AddLink(new LinkSettings { Name = "far-too-long-a-name" }, new BridgeKind()));

        Assert.Contains("\"far-too-long-a-name\" cannot be a link's name: 1 to 15 bytes", error.Message, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Links)]
    public void AddLink_NoParent_CarriesTheKernelsWords()
    {
        SyscallException error = Assert.Throws<SyscallException>(() => _links.AddLink(new LinkSettings { Name = "m0" }, new MacvlanKind(4711)));

        Assert.Equal(Errno.ENODEV, error.Errno);
        int link = Veth("d0");
        error = Assert.Throws<SyscallException>(() => _links.SetMtu(link, 1));
        Assert.Contains("mtu less than device minimum", error.Message, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Links)]
    public void SetLink_EverySetting_IsSeen()
    {
        int bridge = Bridge("br0");
        int link = Veth("d0");

        _links.SetMaster(link, bridge);
        _links.SetMac(link, Mac);
        _links.SetMtu(link, 1280);
        _links.SetUp(link);
        Assert.Equal("br0", _host.IpOne("link", "show", "d0").GetProperty("master").GetString());
        _links.SetBridgePort(link, new BridgePort { Hairpin = true, Isolated = true, Learning = false, UnicastFlood = false, MulticastFlood = false, BroadcastFlood = false });

        JsonElement port = _host.IpOne("link", "show", "d0").GetProperty("linkinfo").GetProperty("info_slave_data");
        Assert.Equal((true, true, false, false, false, false), (port.GetProperty("hairpin").GetBoolean(), port.GetProperty("isolated").GetBoolean(),
            port.GetProperty("learning").GetBoolean(), port.GetProperty("flood").GetBoolean(), port.GetProperty("mcast_flood").GetBoolean(), port.GetProperty("bcast_flood").GetBoolean()));
        _links.SetMaster(link, null);
        _links.SetDown(link);
        _links.Rename(link, "renamed");
        Link seen = _links.FindLink(link)!;
        Assert.Equal(("renamed", false, 1280, Mac, (int?)null), (seen.Name, seen.IsUp, seen.Mtu, seen.Mac!.Value, seen.Master));
    }

    [KernelFact(Needs.Links)]
    public void Move_IntoANamespace_UnderANewName()
    {
        using TestNamespace container = new();
        int link = Veth("d0");

        _links.Move(link, container.Namespace, "eth7");

        Assert.Null(_links.FindLink("d0"));
        Assert.Equal("eth7", container.IpOne("link", "show", "eth7").GetProperty("ifname").GetString());
    }

    [KernelFact(Needs.Links)]
    public void DeleteLink_Gone_IsFalse()
    {
        int link = Veth("d0");

        Assert.True(_links.DeleteLink(link));
        Assert.False(_links.DeleteLink(link));
        Assert.False(_links.DeleteLink("d0"));
        Assert.Equal(Errno.EOPNOTSUPP, Assert.Throws<SyscallException>(() => _links.DeleteLink("lo")).Errno);
    }

    [KernelFact(Needs.Links)]
    public void Links_TwoHundred_AreAllSeenOverManyDatagrams()
    {
        for (int i = 0; i < 200; i++)
        {
            _links.AddLink(new LinkSettings { Name = $"d{i}" }, new BridgeKind());
        }

        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"d{i}").Append("lo").Order(), _links.Links().Select(link => link.Name).Order());
    }

    [KernelFact(Needs.Links)]
    public void Within_AnErrorInside_ComesBackToTheNamespaceBefore()
    {
        using NetworkNamespace before = NetworkNamespace.Current();

        Assert.Throws<InvalidOperationException>(() => _host.Namespace.Within(() => throw new InvalidOperationException()));

        using NetworkNamespace after = NetworkNamespace.Current();
        Assert.Equal(Files.Stat(before.Handle).Inode, Files.Stat(after.Handle).Inode);
        Assert.NotEqual(Files.Stat(before.Handle).Inode, Files.Stat(_host.Namespace.Handle).Inode);
    }

    private static JsonElement Data(TestNamespace where, string name) =>
        where.IpOne("link", "show", name).GetProperty("linkinfo").GetProperty("info_data");

    private int Bridge(string name)
    {
        _links.AddLink(new LinkSettings { Name = name, Up = true }, new BridgeKind());
        return _links.GetLink(name).Index;
    }

    private int Veth(string name)
    {
        _links.AddLink(new LinkSettings { Name = name }, new VethKind(new LinkSettings { Name = $"{name}p" }));
        return _links.GetLink(name).Index;
    }
}
