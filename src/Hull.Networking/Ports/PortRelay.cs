using System.Net;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>Carries what comes to the sockets of published ports themselves into the container, from the host's namespace: what netfilter
/// cannot translate (IPv6 clients of a container without an IPv6 address, since NAT keeps the family; [::1], whose answers are not
/// routed back), and everything while somebody has flushed the tables.</summary>
/// <remarks>The container sees an address of the host as the client's, and the firewall's forward chain, hull-user with it, does not see
/// such a client at all. Belongs to the loop's thread. Nothing here blocks, throws at the loop, or costs anything while nobody comes;
/// what is open is bounded.</remarks>
public sealed class PortRelay : IDisposable
{
    /// <param name="reservation">Its sockets stay its own; this is disposed first. Clients who come while no relay is there wait in the
    /// kernel's queues for the next one.</param>
    /// <param name="target">The address by which the host reaches the container now, asked for each client; null, a
    /// <see cref="SyscallException"/> or a <see cref="NetworkException"/>: nobody is there, and the client is refused.</param>
    /// <exception cref="SyscallException">The sockets cannot be watched.</exception>
    public PortRelay(EventLoop loop, PortReservation reservation, Func<IPAddress?> target)
    {
        Streams = new StreamRelay(loop, Target);
        Datagrams = new DatagramRelay(loop, Target);
        try
        {
            // SCTP has no sockets: it is the firewall's alone.
            foreach ((PublishedPort port, SafeFileHandle? socket) in reservation.Sockets)
            {
                if (socket is not null && port.Protocol == "tcp")
                {
                    Streams.Add(socket, port.ContainerPort);
                }
                else if (socket is not null)
                {
                    Datagrams.Add(socket, port.ContainerPort);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        SocketEndpoint? Target(int port)
        {
            try
            {
                return target() is { } address ? new SocketEndpoint(address, port) : null;
            }
            catch (Exception e) when (e is SyscallException or NetworkException)
            {
                // Where the container is cannot be found out; who starts or stops it meets the same error and reports it.
                return null;
            }
        }
    }

    internal StreamRelay Streams { get; }

    internal DatagramRelay Datagrams { get; }

    /// <summary>Resets every connection.</summary>
    public void Dispose()
    {
        Streams.Dispose();
        Datagrams.Dispose();
    }
}
