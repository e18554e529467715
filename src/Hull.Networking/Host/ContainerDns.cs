using System.Net;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Linux.Netlink.Nftables;
using Hull.Networking.Dns;
using Hull.Networking.Endpoints;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>The DNS server of one container, from its sockets in the container's namespace to its monitor's loop.</summary>
/// <remarks>It listens at ports of the kernel's choice: a container may have a server of its own at 0.0.0.0:53. nf_tables in the container's
/// namespace leads 127.0.0.11:53 there.</remarks>
public sealed class ContainerDns : IDisposable
{
    /// <summary>Docker's, so that what knows it works.</summary>
    public const string Address = "127.0.0.11";

    private const int Port = 53;

    private readonly NetworkNamespace _container;
    private readonly SafeFileHandle _datagrams;
    private readonly SafeFileHandle _listener;
    private readonly DirectoryNames _names;
    private DnsServer? _server;

    private ContainerDns(NetworkNamespace container, SafeFileHandle datagrams, SafeFileHandle listener, DirectoryNames names)
    {
        _container = container;
        _datagrams = datagrams;
        _listener = listener;
        _names = names;
    }

    /// <summary>Makes the sockets, and the way to them, in the namespace of a container whose loopback is up. Questions wait until
    /// <see cref="Serve"/>.</summary>
    /// <param name="pid">A process of the container: a child of the caller's, or held by a pidfd.</param>
    /// <exception cref="SyscallException">The kernel has no nf_tables.</exception>
    public static ContainerDns Open(int pid, string execRoot)
    {
        NetworkNamespace container = NetworkNamespace.OfProcess(pid);
        try
        {
            SocketEndpoint any = new(IPAddress.Parse(Address), 0);
            (SafeFileHandle datagrams, SafeFileHandle listener) = container.Within(() => (InternetSockets.BindDatagrams(any), InternetSockets.Listen(any)));
            Lead(container, InternetSockets.LocalEndpoint(datagrams).Port, InternetSockets.LocalEndpoint(listener).Port);
            return new ContainerDns(container, datagrams, listener, new DirectoryNames(NetworkPaths.Root(execRoot)));
        }
        catch
        {
            container.Dispose();
            throw;
        }
    }

    /// <summary>Answers from the loop's next turn on.</summary>
    /// <param name="refresh">Called before each question: for <see cref="Follow"/>, where the container's networks are others now.</param>
    /// <param name="upstreams">Who is asked what is unknown here; called for each such question.</param>
    public void Serve(EventLoop loop, Action refresh, Func<UpstreamSet> upstreams) =>
        _server = new DnsServer(loop, _datagrams, _listener, _names, Connect) { CurrentUpstreams = upstreams, Refresh = refresh };

    /// <summary>The container is on these networks now.</summary>
    public void Follow(ContainerNetworkState state) =>
        _names.SetNetworks([.. state.Endpoints.Select(static endpoint => new NamedNetwork(endpoint.Network, endpoint.NetworkName, endpoint.Links))]);

    public void Dispose()
    {
        _server?.Dispose();
        _datagrams.Dispose();
        _listener.Dispose();
        _names.Dispose();
        _container.Dispose();
    }

    /// <summary>From the host's namespace, which is the monitor's own, or from the container's.</summary>
    private SafeFileHandle? Connect(Upstream upstream, bool stream, out Errno errno)
    {
        if (!upstream.FromContainer)
        {
            return InternetSockets.TryConnect(upstream.Endpoint, stream, out errno);
        }

        (SafeFileHandle? socket, Errno failure) = _container.Within(() =>
        {
            SafeFileHandle? made = InternetSockets.TryConnect(upstream.Endpoint, stream, out Errno error);
            return (made, error);
        });
        errno = failure;
        return socket;
    }

    /// <summary>The answers' way back is conntrack's.</summary>
    private static void Lead(NetworkNamespace container, int datagrams, int listener)
    {
        NftTable table = new(NftFamily.Ip, "hull-dns");
        NftChain output = new(table, "output") { Hook = NftHook.Output, Type = "nat", Priority = -100 };
        using NftSocket tables = NftSocket.Open(container);
        using NftTransaction transaction = new();
        transaction.AddTable(table);
        transaction.AddChain(output);
        NftValue port = NftValue.Port(Port);
        transaction.AddRule(output, Nft.Ip.Daddr.Is(IPAddress.Parse(Address)), Nft.Udp.Dport.Is(port), Nft.Dnat(IPAddress.Parse(Address), datagrams));
        transaction.AddRule(output, Nft.Ip.Daddr.Is(IPAddress.Parse(Address)), Nft.Tcp.Dport.Is(port), Nft.Dnat(IPAddress.Parse(Address), listener));
        tables.Commit(transaction);
    }
}
