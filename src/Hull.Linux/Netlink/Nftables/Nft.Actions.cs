using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hull.Linux.Netlink.Nftables;

public static partial class Nft
{
    private const uint SourceNat = 0;
    private const uint DestinationNat = 1;

    /// <summary>Counts packets and bytes that came so far in the rule.</summary>
    public static NftStatement Counter { get; } = new("counter", writer => writer.Write("counter", attributes =>
    {
        attributes.PutBigEndian64(1, 0);
        attributes.PutBigEndian64(2, 0);
    }));

    /// <summary>No connection is tracked for the packet. Only before tracking (priority below -200).</summary>
    public static NftStatement Notrack { get; } = new("notrack", writer => writer.Numbers("notrack"));

    /// <summary>The source becomes an address of the link that the packet leaves by.</summary>
    public static NftStatement Masquerade { get; } = new("masquerade", writer => writer.Numbers("masq"));

    /// <summary>Refused with "port unreachable".</summary>
    public static NftStatement Reject { get; } = new("reject with icmpx port-unreachable", writer => RejectWith(writer, IcmpxUnreachable, 1));

    /// <summary>Refused with "administratively prohibited".</summary>
    public static NftStatement RejectProhibited { get; } =
        new("reject with icmpx admin-prohibited", writer => RejectWith(writer, IcmpxUnreachable, 3));

    /// <summary>A TCP connection is refused as by a closed port.</summary>
    public static NftStatement RejectReset { get; } = new("reject with tcp reset", writer =>
    {
        RequireTcp(writer);
        RejectWith(writer, TcpReset, 0);
    });

    public static NftStatement SetMark(uint mark) => new($"meta mark set {NftValue.Mark(mark)}", writer =>
    {
        writer.Immediate(NftNumbers.Register, NftValue.Mark(mark).Bytes);
        writer.Numbers("meta", (2, 3), (3, NftNumbers.Register));
    });

    public static NftStatement SetCtMark(uint mark) => new($"ct mark set {NftValue.Mark(mark)}", writer =>
    {
        writer.Immediate(NftNumbers.Register, NftValue.Mark(mark).Bytes);
        writer.Numbers("ct", (2, 3), (4, NftNumbers.Register));
    });

    /// <summary>So many packets a second, with as many again at once.</summary>
    public static NftStatement LimitPerSecond(uint packets, uint burst = 5) =>
        new(string.Create(CultureInfo.InvariantCulture, $"limit rate {packets}/second burst {burst} packets"), writer => writer.Write("limit", attributes =>
        {
            attributes.PutBigEndian64(1, packets);
            attributes.PutBigEndian64(2, 1);
            attributes.PutBigEndian32(3, burst);
            attributes.PutBigEndian32(4, 0);
        }));

    /// <summary>To a port of this host.</summary>
    public static NftStatement Redirect(int port) => new(string.Create(CultureInfo.InvariantCulture, $"redirect to :{port}"), writer =>
    {
        writer.Immediate(NftNumbers.Register, NftValue.Port(port).Bytes);
        writer.Numbers("redir", (1, NftNumbers.Register));
    });

    /// <summary>To an address, and a port where one is given. In an inet table packets of the other kind pass untouched.</summary>
    public static NftStatement Dnat(IPAddress address, int? port = null) => Nat("dnat", DestinationNat, address, port);

    /// <summary>From an address, and a port where one is given.</summary>
    public static NftStatement Snat(IPAddress address, int? port = null) => Nat("snat", SourceNat, address, port);

    /// <summary>To where a map says: <c>Nft.Dnat(Nft.Tcp.Dport.Map(ports))</c>. The map's data is an address, or an address and a port.</summary>
    public static NftStatement Dnat(NftKey mapped) => new($"dnat {Language(mapped.Types[0])} to {mapped}", writer =>
    {
        mapped.Load(writer);
        uint address = NftNumbers.Register;
        uint port = address + ((uint)mapped.Types[0].Padded / 4);
        uint family = mapped.Types[0] == NftType.Ipv6 ? 10u : 2u;
        if (mapped.Types.Length == 1)
        {
            writer.Numbers("nat", (1, DestinationNat), (2, family), (3, address));
        }
        else
        {
            writer.Numbers("nat", (1, DestinationNat), (2, family), (3, address), (5, port));
        }
    });

    private static NftStatement Nat(string word, uint kind, IPAddress address, int? port)
    {
        bool ipv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        string host = ipv6 && port is not null ? $"[{address}]" : address.ToString();
        string text = string.Create(CultureInfo.InvariantCulture, $"{word} {(ipv6 ? "ip6" : "ip")} to {host}{(port is null ? "" : $":{port}")}");
        return new NftStatement(text, writer =>
        {
            NftType type = ipv6 ? NftType.Ipv6 : NftType.Ipv4;
            uint portRegister = NftNumbers.Register + ((uint)type.Padded / 4);
            writer.Immediate(NftNumbers.Register, NftValue.Address(address).Bytes);
            if (port is null)
            {
                writer.Numbers("nat", (1, kind), (2, ipv6 ? 10u : 2u), (3, NftNumbers.Register));
                return;
            }

            writer.Immediate(portRegister, NftValue.Port(port.Value).Bytes);
            writer.Numbers("nat", (1, kind), (2, ipv6 ? 10u : 2u), (3, NftNumbers.Register), (5, portRegister));
        });
    }

    private static string Language(NftType address) => address == NftType.Ipv6 ? "ip6" : "ip";

    private static void RejectWith(NftRuleWriter writer, uint kind, byte code) => writer.Write("reject", attributes =>
    {
        attributes.PutBigEndian32(1, kind);
        attributes.PutByte(2, code);
    });

    private const uint TcpReset = 1;
    private const uint IcmpxUnreachable = 2;
}
