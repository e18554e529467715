using System.Net;
using System.Net.Sockets;
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

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.66")]
    [InlineData("::1")]
    public void Datagrams_AtAllAddresses_TellWhichAndAnswerFromIt(string text)
    {
        IPAddress address = IPAddress.Parse(text);
        IPAddress any = address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        byte[] buffer = new byte[16];
        using SafeFileHandle server = InternetSockets.BindDatagrams(new SocketEndpoint(any, 0));
        InternetSockets.TellDestinations(server);
        int port = InternetSockets.LocalEndpoint(server).Port;
        // Connected, it hears nothing that comes from another address.
        using SafeFileHandle? client = InternetSockets.TryConnect(new SocketEndpoint(address, port), stream: false, out _);
        Assert.Equal(-1, InternetSockets.TryReceive(server, buffer, out _, out SocketEndpoint to, out Errno errno));
        Assert.Equal((Errno.EAGAIN, default), (errno, to));

        Assert.Equal(4, InternetSockets.TrySend(client!, "ping"u8, null, out _));
        Assert.Equal(4, InternetSockets.TryReceive(server, buffer, out SocketEndpoint from, out to, out _));
        Assert.Equal((InternetSockets.LocalEndpoint(client!), new SocketEndpoint(address, 0)), (from, to));
        Assert.Equal(5, InternetSockets.TrySend(server, "reply"u8, to, from, out _));
        Assert.Equal(5, InternetSockets.TryReceive(client!, buffer, out _));

        (IPAddress foreign, Errno expected) = address.AddressFamily == AddressFamily.InterNetwork
            ? (IPAddress.Parse("192.0.2.1"), Errno.ENETUNREACH) : (IPAddress.Parse("2001:db8::1"), Errno.EINVAL);
        Assert.Equal(-1, InternetSockets.TrySend(server, "reply"u8, new SocketEndpoint(foreign, 0), from, out errno));
        Assert.Equal(expected, errno);
        Assert.Equal(5, InternetSockets.TrySend(server, "reply"u8, default, from, out _));
    }

    [Fact]
    public void TryShutdownWrite_ThePeerReadsTheEndAndStillAnswers()
    {
        (SafeFileHandle client, SafeFileHandle server) = Pair();
        using (client)
        using (server)
        {
            byte[] buffer = new byte[16];
            InternetSockets.TrySend(client, "end"u8, null, out _);
            Assert.Equal(Errno.None, InternetSockets.TryShutdownWrite(client));

            Assert.Equal(3, InternetSockets.TryReceive(server, buffer, out _));
            Assert.Equal(0, InternetSockets.TryReceive(server, buffer, out _));
            InternetSockets.TrySend(server, "yes"u8, null, out _);
            Assert.Equal(3, InternetSockets.TryReceive(client, buffer, out _));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SetResetOnClose_Close_IsAResetOrAnEnd(bool reset)
    {
        (SafeFileHandle client, SafeFileHandle server) = Pair();
        using (client)
        {
            InternetSockets.SetResetOnClose(server);
            InternetSockets.SetResetOnClose(server, reset);
            server.Dispose();

            int n = InternetSockets.TryReceive(client, new byte[16], out Errno errno);

            Assert.Equal(reset ? (-1, Errno.ECONNRESET) : (0, Errno.None), (n, errno));
            Assert.Equal(reset ? Errno.ENOTCONN : Errno.None, InternetSockets.TryShutdownWrite(client));
        }
    }

    [Fact]
    public void SetOptions_OfAConnection_AreThoseOfTcp()
    {
        using SafeFileHandle listener = InternetSockets.Listen(new SocketEndpoint(IPAddress.Loopback, 0));
        using SafeFileHandle client = InternetSockets.TryConnect(InternetSockets.LocalEndpoint(listener), stream: true, out _)!;
        InternetSockets.SetNoDelay(client);
        InternetSockets.SetKeepAlive(client, 77);

        using Socket oracle = new(new SafeSocketHandle(client.DangerousGetHandle(), ownsHandle: false));
        Assert.True(oracle.NoDelay);
        Assert.NotEqual(0, oracle.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Equal(77, oracle.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
    }

    [Fact]
    public void TrySplice_SocketToPipeToSocket_CarriesBytesAndTheEnd()
    {
        (SafeFileHandle source, SafeFileHandle from) = Pair();
        (SafeFileHandle to, SafeFileHandle sink) = Pair();
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe(nonBlocking: true);
        using (source)
        using (from)
        using (to)
        using (sink)
        using (read)
        using (write)
        {
            byte[] buffer = new byte[16];
            Assert.Equal(-1, Descriptors.TrySplice(from, write, 16, out Errno errno));
            Assert.Equal(Errno.EAGAIN, errno);
            InternetSockets.TrySend(source, "hello"u8, null, out _);

            Assert.Equal(5, Descriptors.TrySplice(from, write, 16, out _));
            Assert.Equal(5, Descriptors.TrySplice(read, to, 5, out _));
            Assert.Equal(5, InternetSockets.TryReceive(sink, buffer, out _));

            InternetSockets.TryShutdownWrite(source);
            Assert.Equal(0, Descriptors.TrySplice(from, write, 16, out _));
        }
    }

    private static (SafeFileHandle Client, SafeFileHandle Server) Pair()
    {
        using SafeFileHandle listener = InternetSockets.Listen(new SocketEndpoint(IPAddress.Loopback, 0));
        SafeFileHandle client = InternetSockets.TryConnect(InternetSockets.LocalEndpoint(listener), stream: true, out _)!;
        return (client, InternetSockets.TryAccept(listener, out _)!);
    }
}
