using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hull.Networking.Ports;

/// <summary>A port of the host that leads into a container, as it is now.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="HostAddress">0.0.0.0 or :: for all of a family.</param>
public sealed record PublishedPort(string Protocol, int ContainerPort, IPAddress HostAddress, int HostPort)
{
    /// <summary><c>80/tcp</c>.</summary>
    public string Container => string.Create(CultureInfo.InvariantCulture, $"{ContainerPort}/{Protocol}");

    /// <summary><c>0.0.0.0:8080</c>, <c>[::]:8080</c>.</summary>
    public string Host => new IPEndPoint(HostAddress, HostPort).ToString();

    public bool IsIPv6 => HostAddress.AddressFamily == AddressFamily.InterNetworkV6;
}
