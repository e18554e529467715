using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>One server that questions are forwarded to.</summary>
/// <param name="Endpoint">Its address and port.</param>
/// <param name="FromContainer">Asked from the container's network namespace, not the host's.</param>
public readonly record struct Upstream(SocketEndpoint Endpoint, bool FromContainer);

/// <summary>Makes a socket to a server as <see cref="InternetSockets.TryConnect"/> does, in the network namespace that
/// <see cref="Upstream.FromContainer"/> says.</summary>
/// <exception cref="SyscallException">The namespace cannot be entered; for the forwarder, one more server that is not reached.</exception>
public delegate SafeFileHandle? UpstreamConnector(Upstream server, bool stream, out Errno errno);
