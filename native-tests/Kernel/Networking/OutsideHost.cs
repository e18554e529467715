using System.Net;
using System.Net.Sockets;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Another host: a network namespace at 192.0.2.2, on one wire with the suite's own namespace, which is 192.0.2.1 there.</summary>
public sealed class OutsideHost : IDisposable
{
    /// <summary>The suite's end.</summary>
    public const string Wire = "wire";

    /// <summary>The addresses of the host that hull runs on, as others see it.</summary>
    public const string HullAddress = "192.0.2.1";

    /// <inheritdoc cref="HullAddress"/>
    public const string HullAddress6 = "2001:db8:99::1";

    public const string Address = "192.0.2.2";
    public const string Address6 = "2001:db8:99::2";

    private readonly TestNamespace _host = new();

    public OutsideHost()
    {
        using Rtnetlink here = Rtnetlink.Open();
        here.AddLink(new LinkSettings { Name = Wire, Up = true }, new VethKind(new LinkSettings { Name = "eth0", Namespace = _host.Namespace }));
        Sysctl($"ipv6/conf/{Wire}/accept_dad", "0");
        int wire = here.GetLink(Wire).Index;
        here.AddAddress(wire, IPAddress.Parse(HullAddress), 24);
        using Rtnetlink there = Rtnetlink.Open(_host.Namespace);
        int eth0 = there.GetLink("eth0").Index;
        there.AddAddress(eth0, IPAddress.Parse(Address), 24);
        there.AddAddress(eth0, IPAddress.Parse(Address6), 64);
        there.SetUp(eth0);
        here.AddAddress(wire, IPAddress.Parse(HullAddress6), 64);
    }

    /// <summary>Runs a program there, to its end.</summary>
    public RunResult Run(string program, params string[] arguments) => _host.Run(program, arguments);

    /// <summary>Starts a program there.</summary>
    public HullProcess Start(string program, params string[] arguments) => _host.Start(program, arguments);

    /// <summary>What a container's server says at an address, asked for from there; null where no answer comes within seconds.</summary>
    public string? Fetch(string address, int port = 80) => Http.Read(Run("sh", "-c", Http.Request(address, port)));

    /// <summary>Whether there is a TCP connection to be had from there.</summary>
    public bool Connects(string address, int port) => FirewallHost.Connects(_host, address, port);

    public bool IsShut(string address, int port) => FirewallHost.IsShut(_host, address, port);

    /// <summary>A listener there; connections wait for its Accept.</summary>
    public Socket Listen(string address, int port) => FirewallHost.Listen(_host, address, port);

    /// <summary>A UDP socket there.</summary>
    public Socket ListenForDatagrams(string address, int port) => _host.Namespace.Within(() =>
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    });

    /// <summary>Sends what is for these addresses to the host that hull runs on.</summary>
    public void RouteThroughHull(string subnet) => Run("ip", "route", "add", subnet, "via", HullAddress).Ok();

    /// <summary>A setting of the suite's namespace.</summary>
    public static void Sysctl(string name, string value) => File.WriteAllText("/proc/sys/net/" + name, value);

    public void Dispose()
    {
        using (Rtnetlink here = Rtnetlink.Open())
        {
            here.DeleteLink(Wire);
        }

        _host.Dispose();
    }
}
