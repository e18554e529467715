using System.Net;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Networking.Addresses;
using Hull.Networking.Endpoints;
using Hull.Networking.Firewall;
using Hull.Networking.Records;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>Networks as this host has them: links, addresses, names and rules of the containers that run.</summary>
/// <remarks>
/// Stateless but for what is on disk, so that any number of processes work side by side. Below the exec root, in <c>networks/</c>, each
/// network with endpoints has a directory (<see cref="NetworkPaths"/>), and <c>lock</c> is held by whoever changes any of them. A
/// container's endpoints are written down in its own runtime directory (<c>network.json</c>) before any link is made, so that whoever
/// finds it dead can remove them. For single-threaded processes: it moves between network namespaces.
/// </remarks>
public sealed partial class HostNetworks
{
    private const uint PrivateMode = 0x1C0;
    private const int LargestState = 1 << 20;
    private const int IdLength = 64;

    private readonly string _execRoot;
    private readonly Func<string, bool> _isAlive;
    private readonly Action<string> _warn;

    /// <param name="isAlive">Whether a container, by its id, has a monitor.</param>
    /// <param name="warn">Takes, in sentences for the user, what could not be undone of a step that failed, and what a step that went well
    /// left behind.</param>
    public HostNetworks(string dataRoot, string execRoot, Func<string, bool> isAlive, Action<string> warn)
    {
        _execRoot = execRoot;
        _isAlive = isAlive;
        _warn = warn;
        Store = new NetworkStore(dataRoot, HostRoutes);
    }

    public NetworkStore Store { get; }

    /// <summary>The endpoints and ports of a running container; null where it has none, or does not run.</summary>
    /// <exception cref="NetworkException">Host: the record is damaged.</exception>
    public ContainerNetworkState? StateOf(string container)
    {
        string path = StatePath(container);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw new SyscallException("open", path, errno);
        }

        try
        {
            return ContainerNetworkState.Read(Files.ReadAll(file, LargestState, path));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NetworkException)
        {
            throw new NetworkException(NetworkError.Host, $"{path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Another after each change of <see cref="StateOf(string)"/>; null where there is none. One stat(2).</summary>
    public FileMetadata? VersionOf(string container) => Files.TryStatAt(null, StatePath(container), followLinks: false, out _);

    /// <summary>Where a <see cref="Ports.PortRelay"/> finds a running container: its IPv4 address if it has one that published ports lead to,
    /// else its IPv6 address.</summary>
    /// <returns>Null where it has neither, or does not run.</returns>
    /// <exception cref="NetworkException">Host: a record is damaged.</exception>
    public IPAddress? RelayTarget(string container)
    {
        if (StateOf(container) is not { } state)
        {
            return null;
        }

        (IPAddress? ipv4, IPAddress? ipv6) = FirewallPlan.AddressesOf(state, id => Store.TryRead(id)?.Internal ?? true);
        return ipv4 ?? ipv6;
    }

    /// <summary>The containers that are on a network now, by their ids; some may have been killed.</summary>
    public IReadOnlyList<string> ContainersOn(NetworkConfig network) => ContainersOn(network.Id);

    private List<string> ContainersOn(string network)
    {
        string path = NetworkPaths.Of(_execRoot, network).Endpoints;
        using SafeFileHandle? directory = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        return directory is not null ? [.. DirectoryListing.Read(directory, path).Select(static entry => Encoding.ASCII.GetString(entry.Name))]
            : errno == Errno.ENOENT ? []
            : throw new SyscallException("open", path, errno);
    }

    private NetworkPaths PathsOf(NetworkConfig network) => NetworkPaths.Of(_execRoot, network.Id);

    private AddressLeases LeasesOf(NetworkConfig network) => new(PathsOf(network).Addresses, _isAlive);

    private string StatePath(string container) => $"{_execRoot}/containers/{container}/network.json";

    private HostFirewall Firewall => new(ReadFirewall, NetworkPaths.Root(_execRoot) + "/generation", new Forwarding(NetworkPaths.Root(_execRoot)));

    /// <summary>Whether a network has anything on this host.</summary>
    private bool IsUsed(string network) => Files.TryStatAt(null, NetworkPaths.Of(_execRoot, network).Endpoints, followLinks: false, out _) is not null;

    /// <summary>The networks that have a directory below the exec root: those with endpoints, and those of which a killed process has left
    /// something; some may have no record any more.</summary>
    private List<string> NetworkIds()
    {
        string root = NetworkPaths.Root(_execRoot);
        using SafeFileHandle? directory = Files.TryOpenAt(null, root, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        List<string> ids = [];
        if (directory is not null)
        {
            foreach (DirectoryEntry entry in DirectoryListing.Read(directory, root))
            {
                // Beside them are the lock, the generation and the marks of forwarding.
                if (entry.Name.Length == IdLength)
                {
                    ids.Add(Encoding.ASCII.GetString(entry.Name));
                }
            }
        }

        return ids;
    }

    private List<NetworkConfig> UsedNetworks()
    {
        List<NetworkConfig> networks = [];
        foreach (string id in NetworkIds())
        {
            if (IsUsed(id) && Store.TryRead(id) is { } network)
            {
                networks.Add(network);
            }
        }

        return networks;
    }

    private FirewallState ReadFirewall()
    {
        List<NetworkConfig> networks = UsedNetworks().FindAll(static network => network.IsBridge);
        HashSet<string> isInternal = [.. networks.Where(static network => network.Internal).Select(static network => network.Id)];
        List<FirewallEndpoint> endpoints = [];
        List<FirewallPort> ports = [];
        foreach (string container in networks.SelectMany(ContainersOn).ToHashSet())
        {
            // Not those whose monitors were killed: their ports may be others' by now.
            if (_isAlive(container) && StateOf(container) is { } state)
            {
                endpoints.AddRange(FirewallPlan.EndpointsOf(state));
                ports.AddRange(FirewallPlan.PortsOf(state, isInternal.Contains));
            }
        }

        return new FirewallState([.. networks.Select(FirewallPlan.Of)], endpoints, ports);
    }

    private FileLock Lock()
    {
        string root = NetworkPaths.Root(_execRoot);
        Files.MakeDirectories(root, PrivateMode);
        return FileLock.Acquire(root + "/lock");
    }

    private void Save(string container, ContainerNetworkState state) =>
        AtomicFile.Write(StatePath(container), state.Write().Span, durable: false);

    /// <summary>Every subnet that the host has a route to, but for the default route: a new network must not hide one.</summary>
    private static List<UsedSubnet> HostRoutes()
    {
        using Rtnetlink links = Rtnetlink.Open();
        Dictionary<int, string> names = links.Links().ToDictionary(static link => link.Index, static link => link.Name);
        List<UsedSubnet> used = [];
        foreach (Route route in links.Routes())
        {
            if (!route.IsDefault && route.Kind is RouteKind.Unicast or RouteKind.Local)
            {
                used.Add(new UsedSubnet(
                    Subnet.Around(route.Destination.BaseAddress, route.Destination.PrefixLength),
                    Network: null,
                    route.Index is int index ? names.GetValueOrDefault(index) : null));
            }
        }

        return used;
    }
}
