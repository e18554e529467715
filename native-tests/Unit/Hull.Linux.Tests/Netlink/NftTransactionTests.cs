using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Linux.Tests.Netlink;

/// <summary>The words and the bytes of transactions. That both say the same is for the kernel tests, with nft(8).</summary>
public sealed class NftTransactionTests
{
    private static readonly NftTable Table = new(NftFamily.Inet, "t");
    private static readonly NftChain Chain = new(Table, "c");

    [Fact]
    public void ToString_EveryCommand_IsAScript()
    {
        using NftTransaction transaction = new();
        NftSet map = new(Table, "m", NftType.Ipv4, NftType.Port) { Data = [NftType.Ipv4, NftType.Port] };
        NftSet set = new(Table, "s", NftType.Ipv6) { Intervals = true };
        transaction.AddTable(Table);
        transaction.AddChain(Chain);
        transaction.AddChain(new NftChain(Table, "base") { Hook = NftHook.Postrouting, Type = "nat", Priority = -5, DropByDefault = true });
        transaction.AddSet(map);
        transaction.AddSet(set);
        transaction.AddElements(map, new NftElement(NftValue.Concat(IPAddress.Loopback, NftValue.Port(80)), NftValue.Concat(IPAddress.Parse("10.0.0.2"), NftValue.Port(8080))));
        transaction.AddElements(set, new NftElement(NftValue.Network(IPNetwork.Parse("fd00::/64"))));
        transaction.AddRule(Chain, Nft.IifName.Is(NftValue.LinkName("a")), Nft.Ip.Daddr.IsNot(IPAddress.Loopback), Nft.Counter, NftVerdict.Accept);
        transaction.FlushChain(Chain);
        transaction.DeleteChain(Chain);
        transaction.DeleteElements(set, new NftElement(NftValue.Network(IPNetwork.Parse("fd00::/64"))));
        transaction.FlushSet(map);
        transaction.DeleteSet(set);
        transaction.DeleteTable(Table);

        Assert.Equal(
            """
            add table inet t
            add chain inet t c
            add chain inet t base { type nat hook postrouting priority -5; policy drop; }
            add map inet t m { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
            add set inet t s { type ipv6_addr; flags interval; }
            add element inet t m { 127.0.0.1 . 80 : 10.0.0.2 . 8080 }
            add element inet t s { fd00::/64 }
            add rule inet t c iifname "a" ip daddr != 127.0.0.1 counter accept
            flush chain inet t c
            delete chain inet t c
            delete element inet t s { fd00::/64 }
            flush map inet t m
            delete set inet t s
            delete table inet t

            """, transaction.ToString());
    }

    [Fact]
    public void Finish_OneRule_IsABatchWhoseLastCommandAsksForAnAnswer()
    {
        using NftTransaction transaction = new(generation: 7);
        transaction.AddRule(Chain, Nft.Tcp.Dport.Is(NftValue.Port(80)), NftVerdict.Drop);

        string bytes = Convert.ToHexString(transaction.Finish().Written);

        string meta = Item("meta\0", "0800020000000010", "0800010000000008");
        string compareProtocol = Item("cmp\0", "0800010000000008", "0800020000000000", "0C000380" + "05000100" + "06000000");
        string payload = Item("payload\0", "0800010000000008", "0800020000000002", "0800030000000002", "0800040000000002");
        string comparePort = Item("cmp\0", "0800010000000008", "0800020000000000", "0C000380" + "06000100" + "00500000");
        string drop = Item("immediate\0", "0800010000000000", "10000280" + "0C000280" + "0800010000000000");
        string expressions = Nest("0480", meta + compareProtocol + payload + comparePort + drop);
        string rule = "01000000" + "06000100" + "74000000" + "06000200" + "63000000" + expressions;
        Assert.Equal(
            // Begin: subsystem 10, the generation. The rule: request, acknowledge, create, append. End.
            "1C000000" + "1000" + "0100" + "00000000" + "00000000" + "0000000A" + "0800010000000007"
            + Length32(16 + (rule.Length / 2)) + "060A" + "050C" + "00000000" + "00000000" + rule
            + "14000000" + "1100" + "0100" + "00000000" + "00000000" + "0000000A",
            bytes);
    }

    [Fact]
    public void Concat_RangesOfBothParts_HaveFirstAndLast()
    {
        NftValue value = NftValue.Concat(NftValue.Network(IPNetwork.Parse("10.1.0.0/16")), NftValue.Protocol(ProtocolType.Udp), NftValue.Ports(80, 90));

        Assert.Equal("10.1.0.0/16 . udp . 80-90", value.ToString());
        Assert.Equal(("0A010000" + "11000000" + "00500000", "0A01FFFF" + "11000000" + "005A0000"), (Convert.ToHexString(value.Bytes), Convert.ToHexString(value.Last)));
    }

    [Fact]
    public void Rule_TwoFieldsOfOneProtocol_AsksForItOnce()
    {
        using NftTransaction one = new();
        one.AddRule(Chain, Nft.Ip.Saddr.Is(IPAddress.Loopback), NftVerdict.Drop);
        using NftTransaction two = new();
        two.AddRule(Chain, Nft.Ip.Saddr.Is(IPAddress.Loopback), Nft.Ip.Daddr.Is(IPAddress.Loopback), NftVerdict.Drop);
        using NftTransaction ip = new();
        ip.AddRule(new NftChain(new NftTable(NftFamily.Ip, "t"), "c"), Nft.Ip.Saddr.Is(IPAddress.Loopback), NftVerdict.Drop);

        Assert.Equal((1, 1, 0), (Metas(one), Metas(two), Metas(ip)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sixteen-letters-")]
    [InlineData("a b")]
    public void LinkName_Bad_IsRefused(string name) => Assert.Throws<ArgumentException>(() => NftValue.LinkName(name));

    [Fact]
    public void Port_OutOfRange_IsRefused() => Assert.Throws<OverflowException>(() => NftValue.Port(70000));

    private static int Metas(NftTransaction transaction) =>
        transaction.Finish().Written.ToArray().AsSpan().Count("meta\0"u8);

    private static string Item(string name, params string[] attributes)
    {
        string text = Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(name));
        string padded = text.PadRight((text.Length + 7) / 8 * 8, '0');
        return Nest("0180", Length16(4 + name.Length) + "0100" + padded + Nest("0280", string.Concat(attributes)));
    }

    private static string Nest(string type, string content) => Length16(4 + (content.Length / 2)) + type + content;

    private static string Length16(int length) => Convert.ToHexString([(byte)length, (byte)(length >> 8)]);

    private static string Length32(int length) => Convert.ToHexString(BitConverter.GetBytes(length));
}
