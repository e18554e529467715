using System.Net;
using System.Net.Sockets;
using Hull.Linux.Netlink;
using Hull.Networking.Firewall;

namespace Hull.Kernel.Tests.Networking;

/// <summary>A host as a network namespace, with two bridges of containers and a neighbour on its wire:
/// web (hull0: one, two), back (hull1: three), and outside at 192.0.2.2, who has routes to the containers and to 127/8.</summary>
public sealed class FirewallHost : IDisposable
{
    public const string HostAddress = "192.0.2.1";
    public const string HostAddress6 = "2001:db8::1";

    private readonly List<FirewallEndpoint> _endpoints = [];

    public FirewallHost()
    {
        Links = Rtnetlink.Open(Host.Namespace);
        Firewall = HullFirewall.Open(Host.Namespace);
        Web = Bridge("hull0", 30);
        Back = Bridge("hull1", 31);
        One = Container("one", Web, 30, 2);
        Two = Container("two", Web, 30, 3);
        Three = Container("three", Back, 31, 2);
        Pair("wire", null, Outside, "eth0", MacAddress.Parse("02:00:00:00:00:99"), ["192.0.2.2/24", "2001:db8::2/64"], HostAddress, HostAddress6);
        int wire = Links.GetLink("wire").Index;
        Links.AddAddress(wire, IPAddress.Parse(HostAddress), 24);
        Links.AddAddress(wire, IPAddress.Parse(HostAddress6), 64);
        Host.Namespace.Within(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
            File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1");
            File.WriteAllText("/proc/sys/net/ipv4/conf/hull0/route_localnet", "1");
            // So that only the firewall stands between the wire and 127/8.
            File.WriteAllText("/proc/sys/net/ipv4/conf/wire/route_localnet", "1");
        });
    }

    public TestNamespace Host { get; } = new();

    public TestNamespace Outside { get; } = new();

    public TestNamespace One { get; }

    public TestNamespace Two { get; }

    public TestNamespace Three { get; }

    public Rtnetlink Links { get; }

    public HullFirewall Firewall { get; }

    public FirewallNetwork Web { get; }

    public FirewallNetwork Back { get; }

    public FirewallState State(params FirewallPort[] ports) => new([Web, Back], _endpoints, ports);

    public FirewallEndpoint Endpoint(string port) => _endpoints.Single(endpoint => endpoint.Port == port);

    /// <summary>A listener that answers nothing: the kernel accepts connections for it.</summary>
    public static Socket Listen(TestNamespace where, string address, int port) => where.Namespace.Within(() =>
    {
        IPEndPoint place = new(IPAddress.Parse(address), port);
        Socket socket = new(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(place);
        socket.Listen();
        return socket;
    });

    /// <summary>Whether a connection comes about; a refusal is none. On a busy machine the first packet may be lost to neighbour discovery,
    /// and the next goes out after a second.</summary>
    public static bool Connects(TestNamespace from, string address, int port, string? source = null)
    {
        using Socket? socket = TryConnect(from, address, port, source);
        return socket is not null;
    }

    /// <summary>Whether no connection comes about within a second.</summary>
    public static bool IsShut(TestNamespace from, string address, int port, string? source = null)
    {
        using Socket? socket = TryConnect(from, address, port, source, seconds: 1);
        return socket is null;
    }

    public static Socket? TryConnect(TestNamespace from, string address, int port, string? source = null, int seconds = 10)
    {
        IPEndPoint place = new(IPAddress.Parse(address), port);
        Socket socket = from.Namespace.Within(() => new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            if (source is not null)
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
            }

            socket.Blocking = false;
            try
            {
                socket.Connect(place);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // On its way.
            }

            if (socket.Poll(TimeSpan.FromSeconds(seconds), SelectMode.SelectWrite)
                && (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! == 0)
            {
                return socket;
            }
        }
        catch (SocketException)
        {
            // No route, or refused at once.
        }

        socket.Dispose();
        return null;
    }

    public void Dispose()
    {
        Firewall.Dispose();
        Links.Dispose();
        foreach (TestNamespace part in new[] { Host, Outside, One, Two, Three })
        {
            part.Dispose();
        }
    }

    private FirewallNetwork Bridge(string name, int number)
    {
        Links.AddLink(new LinkSettings { Name = name, Up = true }, new BridgeKind());
        int index = Links.GetLink(name).Index;
        Links.AddAddress(index, IPAddress.Parse($"172.{number}.0.1"), 16);
        Links.AddAddress(index, IPAddress.Parse($"fd00:{number}::1"), 64);
        return new FirewallNetwork { Bridge = name, Subnets = [IPNetwork.Parse($"172.{number}.0.0/16"), IPNetwork.Parse($"fd00:{number}::/64")] };
    }

    private TestNamespace Container(string port, FirewallNetwork network, int number, int host)
    {
        TestNamespace container = new();
        MacAddress mac = MacAddress.Parse($"02:42:00:00:{number}:0{host}");
        string[] addresses = [$"172.{number}.0.{host}", $"fd00:{number}::{host}"];
        Pair(port, Links.GetLink(network.Bridge).Index, container, "eth0", mac, [$"{addresses[0]}/16", $"{addresses[1]}/64"], $"172.{number}.0.1", $"fd00:{number}::1");
        // Where br_netfilter is loaded, a bridge translates addresses itself, and the way to oneself is back out of the same port.
        Links.SetBridgePort(Links.GetLink(port).Index, new BridgePort { Hairpin = true });
        _endpoints.Add(new FirewallEndpoint(port, mac, [.. addresses.Select(IPAddress.Parse)]));
        return container;
    }

    private void Pair(string name, int? master, TestNamespace where, string inside, MacAddress mac, string[] addresses, string gateway, string gateway6)
    {
        Links.AddLink(new LinkSettings { Name = name, Up = true, Master = master }, new VethKind(new LinkSettings { Name = inside, Mac = mac, Namespace = where.Namespace }));
        using Rtnetlink links = Rtnetlink.Open(where.Namespace);
        int index = links.GetLink(inside).Index;
        links.SetUp(index);
        foreach (string address in addresses)
        {
            string[] parts = address.Split('/');
            links.AddAddress(index, IPAddress.Parse(parts[0]), int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
        }

        links.AddRoute(new Route { Destination = IPNetwork.Parse("0.0.0.0/0"), Gateway = IPAddress.Parse(gateway) });
        links.AddRoute(new Route { Destination = IPNetwork.Parse("::/0"), Gateway = IPAddress.Parse(gateway6), Index = index });
    }
}
