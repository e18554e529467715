using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Tests;

/// <summary>UDP and TCP over the loopback of the machine; no root needed.</summary>
public sealed class InternetSocketTests
{
    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("2001:db8::1")]
    [InlineData("fe80::1%3")]
    public void SocketEndpoint_Address_ComesBack(string text)
    {
        SocketEndpoint endpoint = new(IPAddress.Parse(text), 5353);

        Assert.Equal((IPAddress.Parse(text), 5353), (endpoint.Address, endpoint.Port));
        Assert.Equal(28, Unsafe.SizeOf<SocketEndpoint>());
        Assert.Equal(new SocketEndpoint(IPAddress.Parse(text), 5353), endpoint);
        Assert.NotEqual(new SocketEndpoint(IPAddress.Parse(text), 53), endpoint);
    }

    [Fact]
    public void SocketEndpoint_PortTooLarge_Refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SocketEndpoint(IPAddress.Loopback, 65536));

    [Fact]
    public void Datagrams_SentBothWays_NameTheirSender()
    {
        byte[] buffer = new byte[16];
        using SafeFileHandle server = InternetSockets.BindDatagrams(new SocketEndpoint(IPAddress.Loopback, 0));
        using SafeFileHandle? client = InternetSockets.TryConnect(InternetSockets.LocalEndpoint(server), stream: false, out _);
        Assert.Equal(-1, InternetSockets.TryReceive(server, buffer, out Errno errno));
        Assert.Equal(Errno.EAGAIN, errno);

        Assert.Equal(4, InternetSockets.TrySend(client!, "ping"u8, null, out _));
        Assert.Equal(4, InternetSockets.TryReceive(server, buffer, out SocketEndpoint from, out _));
        Assert.Equal(InternetSockets.LocalEndpoint(client!), from);
        Assert.Equal(5, InternetSockets.TrySend(server, "reply"u8, from, out _));
        Assert.Equal(5, InternetSockets.TryReceive(client!, buffer, out _));
    }

    [Fact]
    public void Datagrams_NobodyThere_TheRefusalComesBack()
    {
        SocketEndpoint nobody;
        using (SafeFileHandle server = InternetSockets.BindDatagrams(new SocketEndpoint(IPAddress.Loopback, 0)))
        {
            nobody = InternetSockets.LocalEndpoint(server);
        }

        using SafeFileHandle? client = InternetSockets.TryConnect(nobody, stream: false, out _);
        InternetSockets.TrySend(client!, "ping"u8, null, out _);

        Assert.Equal(-1, InternetSockets.TryReceive(client!, new byte[16], out Errno errno));
        Assert.Equal(Errno.ECONNREFUSED, errno);
    }

    [Fact]
    public void Streams_ConnectAndAccept_CarryBytes()
    {
        using SafeFileHandle listener = InternetSockets.Listen(new SocketEndpoint(IPAddress.Loopback, 0));
        Assert.Null(InternetSockets.TryAccept(listener, out Errno errno));
        Assert.Equal(Errno.EAGAIN, errno);

        using SafeFileHandle? client = InternetSockets.TryConnect(InternetSockets.LocalEndpoint(listener), stream: true, out _);
        Assert.Equal(1, Poll.Wait([new PollEntry(client, PollEvents.Writable)], 1000));
        Assert.Equal(Errno.None, InternetSockets.PendingError(client!));
        using SafeFileHandle? server = InternetSockets.TryAccept(listener, out _);
        InternetSockets.TrySend(client!, "hello"u8, null, out _);

        Assert.Equal(5, InternetSockets.TryReceive(server!, new byte[16], out _));
    }

    [Fact]
    public void Listen_PortTaken_NamesAddressAndErrno()
    {
        using SafeFileHandle listener = InternetSockets.Listen(new SocketEndpoint(IPAddress.Loopback, 0));

        SyscallException error = Assert.Throws<SyscallException>(() => InternetSockets.Listen(InternetSockets.LocalEndpoint(listener)));

        Assert.Equal(("bind", Errno.EADDRINUSE), (error.Operation, error.Errno));
        Assert.StartsWith("127.0.0.1:", error.Target, StringComparison.Ordinal);
    }

    [Fact]
    public void TryConnect_NoRoute_SaysWhy()
    {
        // Broadcast needs SO_BROADCAST (EACCES, ip(7)); without any route it is unreachable.
        using SafeFileHandle? socket = InternetSockets.TryConnect(new SocketEndpoint(IPAddress.Parse("255.255.255.255"), 9), stream: false, out Errno errno);

        Assert.Null(socket);
        Assert.True(errno is Errno.EACCES or Errno.ENETUNREACH, errno.ToString());
    }
}
