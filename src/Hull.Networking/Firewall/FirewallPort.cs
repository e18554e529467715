using System.Net;
using System.Net.Sockets;

namespace Hull.Networking.Firewall;

/// <summary>A port of the host that leads into a container.</summary>
/// <param name="Protocol">tcp, udp or sctp.</param>
/// <param name="Host">Where it is published: one of the host's addresses, or 0.0.0.0 or :: for all of that family. ::1 is out of
/// NAT's reach, by :: too: who wants it listens there.</param>
/// <param name="Container">Of the same family.</param>
public sealed record FirewallPort(ProtocolType Protocol, IPEndPoint Host, IPEndPoint Container);
