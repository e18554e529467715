using System.Net;
using System.Net.Sockets;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>Ports of the host that are a container's: sockets at them keep others away, and end with whoever holds them, however that
/// ends. Traffic does not come to them but for what the kernel cannot translate (<see cref="Sockets"/>).</summary>
public sealed class PortReservation : IDisposable
{
    private const int Attempts = 20;

    private readonly List<(PublishedPort Port, SafeFileHandle? Socket)> _held = [];

    private PortReservation()
    {
    }

    /// <summary>In the order of the rules; a port without an address of its own is there once for each family.</summary>
    public IReadOnlyList<PublishedPort> Ports => [.. _held.Select(static one => one.Port)];

    /// <summary>The sockets at the ports, TCP ones listening; null for SCTP, whose ports are the firewall's alone.</summary>
    public IReadOnlyList<(PublishedPort Port, SafeFileHandle? Socket)> Sockets => _held;

    /// <summary>Takes a port for each rule.</summary>
    /// <param name="describe">Who has a port already, in words; null where nobody is found.</param>
    /// <exception cref="NetworkException">Conflict: a port is in use; Invalid: an address is not this host's. Nothing is held then.</exception>
    public static PortReservation Take(IEnumerable<PortRule> rules, Func<string, IPEndPoint, string?> describe)
    {
        PortReservation reservation = new();
        try
        {
            foreach (PortRule rule in rules)
            {
                reservation.Take(rule, describe);
            }

            return reservation;
        }
        catch
        {
            reservation.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach ((_, SafeFileHandle? socket) in _held)
        {
            socket?.Dispose();
        }

        _held.Clear();
    }

    private void Take(PortRule rule, Func<string, IPEndPoint, string?> describe)
    {
        IPAddress[] addresses = rule.HostAddress is { } one ? [one] : [IPAddress.Any, IPAddress.IPv6Any];
        // Any port: the kernel chooses it for the first address, and another one may have it at the second.
        int last = rule.HostPort == 0 ? Attempts : rule.HostPortEnd - rule.HostPort;
        for (int i = 0; i <= last; i++)
        {
            int port = rule.HostPort == 0 ? 0 : rule.HostPort + i;
            if (TryTake(rule, addresses, port, out IPEndPoint busy))
            {
                return;
            }

            if (i == last)
            {
                string holder = describe(rule.Protocol, busy) is { } who ? $": {who} has it" : "";
                throw NetworkException.Conflict($"Bind for {busy} failed: port is already allocated{holder}");
            }
        }
    }

    private bool TryTake(PortRule rule, IPAddress[] addresses, int port, out IPEndPoint busy)
    {
        List<(PublishedPort, SafeFileHandle?)> taken = [];
        foreach (IPAddress address in addresses)
        {
            busy = new IPEndPoint(address, port);
            SafeFileHandle? socket = null;
            if (rule.Protocol == "sctp")
            {
                // Not every kernel has its sockets: any port is one of the range that other protocols' are chosen from.
                port = port == 0 ? 32768 + KernelRandom.Below(28000) : port;
            }
            else
            {
                try
                {
                    socket = Bind(rule.Protocol, busy);
                    port = InternetSockets.LocalEndpoint(socket).Port;
                }
                catch (SyscallException e) when (e.Errno == Errno.EADDRINUSE)
                {
                    taken.ForEach(static one => one.Item2?.Dispose());
                    return false;
                }
                catch (SyscallException e) when (e.Errno is Errno.EAFNOSUPPORT or Errno.EADDRNOTAVAIL && address.AddressFamily == AddressFamily.InterNetworkV6 && addresses.Length > 1)
                {
                    // This kernel is without IPv6 (or has it off): there is nobody to come that way.
                    continue;
                }
                catch (SyscallException e) when (e.Errno is Errno.EADDRNOTAVAIL or Errno.EAFNOSUPPORT)
                {
                    taken.ForEach(static one => one.Item2?.Dispose());
                    throw NetworkException.Invalid($"Bind for {busy} failed: {address} is no address of this host ({e.Errno.Name()})");
                }
            }

            taken.Add((new PublishedPort(rule.Protocol, rule.ContainerPort, address, port), socket));
        }

        _held.AddRange(taken);
        busy = new IPEndPoint(addresses[0], port);
        return true;
    }

    private static SafeFileHandle Bind(string protocol, IPEndPoint place)
    {
        SocketEndpoint local = new(place.Address, place.Port);
        return protocol == "tcp" ? InternetSockets.Listen(local) : InternetSockets.BindDatagrams(local);
    }
}
