using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Tables made over netlink. What a transaction prints is given to nft(8) in another namespace: both must then list the
/// same ruleset, so that neither the bytes nor the words can be wrong alone.</summary>
public sealed class NftablesTests : IDisposable
{
    private static readonly NftTable Table = new(NftFamily.Inet, "hull");
    private static readonly IPAddress Four = IPAddress.Parse("172.30.0.2");
    private static readonly IPAddress Six = IPAddress.Parse("fd00:30::2");
    private static readonly NftValue TcpValue = NftValue.Protocol(ProtocolType.Tcp);

    private readonly TestNamespace _host = new();
    private readonly TestNamespace _peer = new();
    private readonly NftSocket _tables;

    public NftablesTests() => _tables = NftSocket.Open(_host.Namespace);

    public void Dispose()
    {
        _tables.Dispose();
        _host.Dispose();
        _peer.Dispose();
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_EveryExpression_IsWhatNftMakesOfItsText()
    {
        using NftTransaction transaction = new();
        NftChain chain = Chains(transaction, out NftChain prerouting, out NftChain output, out NftChain postrouting, out NftChain raw);
        NftSet links = new(Table, "links", NftType.LinkName);
        transaction.AddSet(links);
        transaction.AddElements(links, new NftElement(NftValue.LinkName("hull0")), new NftElement(NftValue.LinkName("br-0123456789a")));

        transaction.AddRule(chain, Nft.CtState(NftCtState.Established | NftCtState.Related), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.CtState(NftCtState.Invalid), Nft.Counter, NftVerdict.Drop);
        transaction.AddRule(chain, Nft.CtStatus(NftCtStatus.Dnat), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.CtDirection.Is(NftValue.Direction(reply: true)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.IifName.Is(NftValue.LinkName("hull0")), Nft.OifName.IsNot(NftValue.LinkName("hull0")), NftVerdict.Return);
        transaction.AddRule(chain, Nft.IifName.StartsWith("veth"), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.IifName.In(links), Nft.OifName.NotIn(links), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Iif.Is(NftValue.LinkIndex(1)), Nft.Oif.IsNot(NftValue.LinkIndex(1)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.MetaL4Proto.Is(TcpValue), Nft.Th.Dport.Is(NftValue.Port(80)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.MetaL4Proto.Is(NftValue.Protocol(NftValue.Sctp)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Ip.Saddr.Is(Four), Nft.Ip.Daddr.IsNot(Four), Nft.Tcp.Dport.Is(NftValue.Port(443)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Ip6.Saddr.Is(Six), Nft.Ip6.Daddr.IsNot(Six), Nft.Udp.Sport.Is(NftValue.Port(53)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Ip.Saddr.Is(IPNetwork.Parse("172.30.0.0/16")), Nft.Ip.Daddr.IsNot(IPNetwork.Parse("10.1.2.64/26")), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Ip6.Saddr.Is(IPNetwork.Parse("fd00:30::/64")), Nft.Ip6.Daddr.IsNot(IPNetwork.Parse("fd00:31::/63")), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Ether.Saddr.Is(MacAddress.Parse("02:42:ac:11:00:02")), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.MetaMark.Is(NftValue.Mark(0x1234)), Nft.CtMark.IsNot(NftValue.Mark(1)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.FibDaddrType.Is(NftValue.AddressType(RouteKind.Local)), Nft.FibSaddrType.IsNot(NftValue.AddressType(RouteKind.Local)), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.Nfproto(ipv6: true), Nft.Reject);
        transaction.AddRule(chain, Nft.Icmp6.Type.Is(NftValue.IcmpType(134)), Nft.RejectProhibited);
        transaction.AddRule(chain, Nft.Tcp.Sport.Is(NftValue.Port(7)), Nft.RejectReset);
        transaction.AddRule(chain, Nft.LimitPerSecond(10, 20), Nft.SetMark(7), Nft.SetCtMark(0x10));
        NftChain below = new(Table, "below");
        transaction.AddChain(below);
        transaction.AddRule(chain, Nft.IifName.Is(NftValue.LinkName("a")), NftVerdict.Jump(below));
        transaction.AddRule(chain, Nft.IifName.Is(NftValue.LinkName("b")), NftVerdict.Goto(below));
        transaction.AddRule(raw, Nft.Notrack);
        transaction.AddRule(prerouting, Nft.Tcp.Dport.Is(NftValue.Port(8080)), Nft.Dnat(Four, 80));
        transaction.AddRule(prerouting, Nft.Tcp.Dport.Is(NftValue.Port(8081)), Nft.Dnat(Six, 80));
        transaction.AddRule(prerouting, Nft.Ip.Daddr.Is(IPAddress.Parse("192.0.2.1")), Nft.Dnat(Four));
        transaction.AddRule(output, Nft.Udp.Dport.Is(NftValue.Port(53)), Nft.Redirect(5353));
        transaction.AddRule(postrouting, Nft.OifName.Is(NftValue.LinkName("eth0")), Nft.Snat(IPAddress.Parse("192.0.2.1")));
        transaction.AddRule(postrouting, Nft.Masquerade);

        Same(transaction, Table);
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_EverySetAndMap_IsWhatNftMakesOfItsText()
    {
        using NftTransaction transaction = new();
        NftChain chain = Chains(transaction, out NftChain prerouting, out _, out _, out _);
        NftChain below = new(Table, "below");
        transaction.AddChain(below);
        NftSet networks = new(Table, "networks", NftType.Ipv4) { Intervals = true };
        NftSet networks6 = new(Table, "networks6", NftType.Ipv6) { Intervals = true };
        NftSet spoof = new(Table, "spoof", NftType.LinkName, NftType.Ethernet, NftType.Ipv4);
        NftSet ranges = new(Table, "ranges", NftType.Ipv4, NftType.Port) { Intervals = true };
        NftSet verdicts = new(Table, "verdicts", NftType.LinkName) { Verdicts = true };
        NftSet ports = new(Table, "ports", NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
        NftSet published = new(Table, "published", NftType.Ipv4, NftType.Protocol, NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
        NftSet published6 = new(Table, "published6", NftType.Ipv6, NftType.Protocol, NftType.Port) { Data = [NftType.Ipv6, NftType.Port] };
        NftSet hosts = new(Table, "hosts", NftType.Ipv4) { Data = [NftType.Ipv4] };
        foreach (NftSet set in new[] { networks, networks6, spoof, ranges, verdicts, ports, published, published6, hosts })
        {
            transaction.AddSet(set);
        }

        transaction.AddElements(networks, Network("172.30.0.0/16"), Network("10.0.0.0/8"), Network("240.0.0.0/4"), new NftElement(IPAddress.Parse("192.0.2.7")));
        transaction.AddElements(networks6, Network("fd00:30::/64"));
        transaction.AddElements(spoof, new NftElement(NftValue.Concat(NftValue.LinkName("veth1"), MacAddress.Parse("02:42:ac:11:00:02"), Four)));
        transaction.AddElements(ranges,
            new NftElement(NftValue.Concat(NftValue.Network(IPNetwork.Parse("10.1.0.0/16")), NftValue.Ports(8000, 8100))),
            new NftElement(NftValue.Concat(Four, NftValue.Port(80))));
        transaction.AddElements(verdicts, new NftElement(NftValue.LinkName("a"), NftVerdict.Jump(below)), new NftElement(NftValue.LinkName("b"), NftVerdict.Drop));
        transaction.AddElements(ports, new NftElement(NftValue.Port(8080), NftValue.Concat(Four, NftValue.Port(80))));
        transaction.AddElements(published, new NftElement(NftValue.Concat(IPAddress.Parse("192.0.2.1"), TcpValue, NftValue.Port(8080)), NftValue.Concat(Four, NftValue.Port(80))));
        transaction.AddElements(published6, new NftElement(NftValue.Concat(IPAddress.Parse("2001:db8::1"), TcpValue, NftValue.Port(8080)), NftValue.Concat(Six, NftValue.Port(80))));
        transaction.AddElements(hosts, new NftElement(IPAddress.Parse("192.0.2.2"), Four));

        transaction.AddRule(chain, Nft.Ip.Saddr.In(networks), NftVerdict.Drop);
        transaction.AddRule(chain, Nft.Ip6.Saddr.NotIn(networks6), NftVerdict.Drop);
        transaction.AddRule(chain, NftKey.Concat(Nft.IifName, Nft.Ether.Saddr, Nft.Ip.Saddr).NotIn(spoof), NftVerdict.Drop);
        transaction.AddRule(chain, NftKey.Concat(Nft.Ip.Daddr, Nft.Tcp.Dport).In(ranges), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.IifName.Vmap(verdicts));
        transaction.AddRule(prerouting, Nft.Dnat(Nft.Tcp.Dport.Map(ports)));
        transaction.AddRule(prerouting, Nft.Dnat(NftKey.Concat(Nft.Ip.Daddr, Nft.MetaL4Proto, Nft.Th.Dport).Map(published)));
        transaction.AddRule(prerouting, Nft.Dnat(NftKey.Concat(Nft.Ip6.Daddr, Nft.MetaL4Proto, Nft.Th.Dport).Map(published6)));
        transaction.AddRule(prerouting, Nft.Dnat(Nft.Ip.Daddr.Map(hosts)));

        Same(transaction, Table);
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_BridgeTable_IsWhatNftMakesOfItsText()
    {
        NftTable table = new(NftFamily.Bridge, "hull");
        using NftTransaction transaction = new();
        NftChain chain = new(table, "antispoof") { Hook = NftHook.Prerouting, Priority = -300 };
        NftSet neighbours = new(table, "neighbours", NftType.LinkName, NftType.Ethernet, NftType.Ipv4);
        transaction.AddTable(table);
        transaction.AddSet(neighbours);
        transaction.AddChain(chain);
        transaction.AddRule(chain, NftKey.Concat(Nft.IifName, Nft.Ether.Saddr, Nft.Ip.Saddr).NotIn(neighbours), NftVerdict.Drop);
        transaction.AddRule(chain, NftKey.Concat(Nft.IifName, Nft.Arp.SaddrEther, Nft.Arp.SaddrIp).NotIn(neighbours), NftVerdict.Drop);
        transaction.AddRule(chain, Nft.Arp.Operation.Is(NftValue.ArpOperation(2)), Nft.Arp.DaddrIp.Is(Four), NftVerdict.Drop);
        transaction.AddRule(chain, Nft.Ip6.Saddr.Is(Six), NftVerdict.Drop);
        transaction.AddRule(chain, Nft.Ether.Daddr.Is(MacAddress.Parse("02:42:ac:11:00:02")), NftVerdict.Accept);
        transaction.AddRule(chain, Nft.MetaProtocol.Is(NftValue.EtherType(0x86dd)), NftVerdict.Drop);

        Same(transaction, table);
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_ThousandsOfElements_AreOneTransaction()
    {
        NftSet set = new(Table, "many", NftType.Ipv4, NftType.Protocol, NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
        using NftTransaction transaction = new();
        transaction.AddTable(Table);
        transaction.AddSet(set);
        transaction.AddElements(set, [.. Enumerable.Range(1, 5000).Select(port => new NftElement(
            NftValue.Concat(IPAddress.Any, TcpValue, NftValue.Port(port)), NftValue.Concat(Four, NftValue.Port(port))))]);
        uint before = _tables.Generation();

        _tables.Commit(transaction);

        Assert.Equal(before + 1, _tables.Generation());
        Assert.Equal(5000, _tables.Read(Table)!.Elements("many"));
        Assert.Null(transaction.Content(Table).WhatLacks(_tables.Read(Table)!));
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_OneCommandFails_NothingIsDoneAndItIsNamed()
    {
        using NftTransaction transaction = new();
        transaction.AddTable(Table);
        NftChain chain = new(Table, "forward");
        transaction.AddChain(chain);
        transaction.AddRule(chain, Nft.Counter);
        transaction.AddRule(chain, Nft.IifName.Is(NftValue.LinkName("a")), NftVerdict.Jump(new NftChain(Table, "nowhere")));
        transaction.AddRule(chain, Nft.IifName.In(new NftSet(Table, "none", NftType.LinkName)), NftVerdict.Drop);

        SyscallException error = Assert.Throws<SyscallException>(() => _tables.Commit(transaction));

        Assert.Equal("nf_tables add rule inet hull forward iifname \"a\" jump nowhere: ENOENT (No such file or directory)", error.Message);
        Assert.Empty(_tables.Tables());
        Assert.Null(_tables.Read(Table));
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_ChangedSinceRead_IsRestart()
    {
        uint generation = _tables.Generation();
        _host.Run("nft", "add table ip others").Ok();
        using NftTransaction transaction = new(generation);
        transaction.AddTable(Table);

        Assert.Equal(Errno.ERESTART, Assert.Throws<SyscallException>(() => _tables.Commit(transaction)).Errno);

        using NftTransaction again = new(_tables.Generation());
        again.AddTable(Table);
        _tables.Commit(again);
        Assert.Equal([new NftTable(NftFamily.Ip, "others"), Table], _tables.Tables());
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_MapHasAnotherValue_IsNamed()
    {
        NftSet map = new(Table, "m", NftType.Port) { Data = [NftType.Ipv4] };
        using NftTransaction transaction = new();
        transaction.AddTable(Table);
        transaction.AddSet(map);
        transaction.AddElements(map, new NftElement(NftValue.Port(1), Four));
        _tables.Commit(transaction);
        using NftTransaction second = new();
        second.AddElements(map, new NftElement(NftValue.Port(1), IPAddress.Parse("172.30.0.3")));

        SyscallException error = Assert.Throws<SyscallException>(() => _tables.Commit(second));

        Assert.Equal("nf_tables add element inet hull m { 1 : 172.30.0.3 }: EEXIST (File exists)", error.Message);
    }

    [KernelFact(Needs.Nftables)]
    public void Read_AfterOthersChangedIt_SaysWhatIsMissing()
    {
        using NftTransaction transaction = new();
        NftChain chain = Chains(transaction, out _, out _, out _, out _);
        NftSet set = new(Table, "networks", NftType.Ipv4) { Intervals = true };
        NftSet map = new(Table, "verdicts", NftType.LinkName) { Verdicts = true };
        NftChain below = new(Table, "below");
        transaction.AddChain(below);
        transaction.AddSet(set);
        transaction.AddSet(map);
        transaction.AddElements(set, Network("172.30.0.0/16"), Network("255.0.0.0/8"));
        transaction.AddElements(map, new NftElement(NftValue.LinkName("a"), NftVerdict.Jump(below)), new NftElement(NftValue.LinkName("b"), NftVerdict.Accept));
        transaction.AddRule(chain, Nft.Ip.Saddr.In(set), NftVerdict.Drop);
        NftContent made = transaction.Content(Table);
        _tables.Commit(transaction);
        Assert.Null(made.WhatLacks(_tables.Read(Table)!));
        _host.Run("nft", "add chain inet hull hull-user").Ok();
        Assert.Null(made.WhatLacks(_tables.Read(Table)!));

        _host.Run("nft", "delete element inet hull networks { 172.30.0.0/16 }").Ok();
        Assert.Equal("set networks has 1 elements, not the 3 that it had", made.WhatLacks(_tables.Read(Table)!));
        _host.Run("nft", "flush chain inet hull forward").Ok();
        Assert.Equal("chain forward has 0 rules, not 1", made.WhatLacks(_tables.Read(Table)!));
        _host.Run("nft", "flush ruleset").Ok();
        Assert.Null(_tables.Read(Table));
    }

    [KernelFact(Needs.Nftables)]
    public void Commit_Removals_LeaveWhatIsNotNamed()
    {
        using NftTransaction make = new();
        NftChain chain = Chains(make, out NftChain prerouting, out _, out _, out _);
        NftSet set = new(Table, "networks", NftType.Ipv4) { Intervals = true };
        NftSet ports = new(Table, "ports", NftType.Port);
        make.AddSet(set);
        make.AddSet(ports);
        make.AddElements(set, Network("172.30.0.0/16"), Network("10.0.0.0/8"));
        make.AddElements(ports, new NftElement(NftValue.Port(1)), new NftElement(NftValue.Port(2)));
        make.AddRule(chain, Nft.Counter);
        _tables.Commit(make);
        using NftTransaction remove = new();
        remove.FlushChain(chain);
        remove.DeleteChain(prerouting);
        remove.DeleteElements(set, Network("10.0.0.0/8"));
        remove.FlushSet(ports);

        _tables.Commit(remove);

        NftContent left = _tables.Read(Table)!;
        Assert.Equal((0, (int?)null, 2, 0), (left.Rules("forward")!.Value, left.Rules("prerouting"), left.Elements("networks")!.Value, left.Elements("ports")!.Value));
        using NftTransaction rest = new();
        rest.DeleteSet(ports);
        rest.DeleteTable(Table);
        _tables.Commit(rest);
        Assert.Empty(_tables.Tables());
    }

    private static NftElement Network(string network) => new(NftValue.Network(IPNetwork.Parse(network)));

    private static NftChain Chains(NftTransaction transaction, out NftChain prerouting, out NftChain output, out NftChain postrouting, out NftChain raw)
    {
        NftChain forward = new(Table, "forward") { Hook = NftHook.Forward, Priority = -10, DropByDefault = true };
        prerouting = new(Table, "prerouting") { Hook = NftHook.Prerouting, Type = "nat", Priority = -100 };
        output = new(Table, "output") { Hook = NftHook.Output, Type = "nat", Priority = -100 };
        postrouting = new(Table, "postrouting") { Hook = NftHook.Postrouting, Type = "nat", Priority = 100 };
        raw = new(Table, "raw") { Hook = NftHook.Prerouting, Priority = -300 };
        transaction.AddTable(Table);
        foreach (NftChain chain in new[] { forward, prerouting, output, postrouting, raw })
        {
            transaction.AddChain(chain);
        }

        return forward;
    }

    private void Same(NftTransaction transaction, NftTable table)
    {
        string script = transaction.ToString();
        _tables.Commit(transaction);
        using HullProcess nft = _peer.Start("nft", "-f", "-");
        nft.Write(script);
        nft.CloseInput();
        Assert.Equal("", nft.Finish().Ok());

        // Hash tables list in their own order.
        Assert.Equal(Lines(_peer), Lines(_host));
        Assert.Null(transaction.Content(table).WhatLacks(_tables.Read(table)!));
        using NftSocket peer = NftSocket.Open(_peer.Namespace);
        Assert.Null(transaction.Content(table).WhatLacks(peer.Read(table)!));
    }

    private static string[] Lines(TestNamespace where) => where.Run("nft", "list", "ruleset").Ok().Split('\n');
}
