using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Networking.Addresses;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Records;

/// <summary>The networks of a data root: <c>ID.json</c> a network, and <c>names/NAME</c>, a symbolic link to its id.</summary>
/// <remarks>Stateless. Making the name's link claims it; the record is there before. Changes take <c>lock</c>, so that two networks made at
/// once do not choose the same subnet.</remarks>
public sealed class NetworkStore
{
    private const uint PrivateMode = 0x1C0;
    private const int Largest = 1 << 20;

    private readonly string _directory;
    private readonly string _names;
    private readonly Func<IReadOnlyList<UsedSubnet>> _hostRoutes;

    /// <param name="hostRoutes">The subnets that the host has routes to, asked for when a network is made.</param>
    public NetworkStore(string dataRoot, Func<IReadOnlyList<UsedSubnet>> hostRoutes)
    {
        _directory = dataRoot + "/networks";
        _names = _directory + "/names";
        _hostRoutes = hostRoutes;
    }

    /// <exception cref="NetworkException">Invalid; Conflict: the name or a subnet is in use; Host: no free subnet.</exception>
    public NetworkConfig Create(NetworkRequest request)
    {
        NetworkBuilder.CheckName(request.Name);
        if (NetworkDrivers.IsPredefined(request.Name))
        {
            throw new NetworkException(NetworkError.Conflict, $"operation is not permitted on predefined {request.Name} network");
        }

        using FileLock changing = Lock();
        return CreateLocked(request);
    }

    /// <summary>The network of containers that ask for none; made at its first use.</summary>
    public NetworkConfig Default()
    {
        if (TryReadName(NetworkDrivers.DefaultNetwork) is { } known)
        {
            return known;
        }

        using FileLock changing = Lock();
        return TryReadName(NetworkDrivers.DefaultNetwork) ?? CreateLocked(new NetworkRequest { Name = NetworkDrivers.DefaultNetwork });
    }

    /// <summary>By id.</summary>
    /// <exception cref="NetworkException">NotFound.</exception>
    public NetworkConfig Read(string id) => TryRead(id) ?? throw NoSuch(id);

    /// <summary>By name, id or the unique beginning of an id.</summary>
    /// <exception cref="NetworkException">NotFound; Invalid: several ids begin so.</exception>
    public NetworkConfig Find(string reference)
    {
        if (reference == NetworkDrivers.DefaultNetwork)
        {
            return Default();
        }

        if (reference.Length == 0 || !Words.IsName(reference))
        {
            throw NoSuch(reference);
        }

        if (PredefinedNetworks.Find(reference) is { } predefined)
        {
            return predefined;
        }

        if (TryReadName(reference) is { } named)
        {
            return named;
        }

        List<NetworkConfig> matches = List().FindAll(one => one.Id.StartsWith(reference, StringComparison.Ordinal));
        return matches.Count switch
        {
            0 => throw NoSuch(reference),
            1 => matches[0],
            _ => throw NetworkException.Invalid($"network {reference} is ambiguous ({matches.Count} matches found on ID prefix)"),
        };
    }

    /// <summary>All of them by name, the predefined ones included.</summary>
    public List<NetworkConfig> List()
    {
        List<NetworkConfig> networks = [Default(), .. PredefinedNetworks.All];
        foreach (string id in Ids())
        {
            // Null: removed since the directory was read.
            if (TryRead(id) is { IsDefault: false } network)
            {
                networks.Add(network);
            }
        }

        networks.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return networks;
    }

    /// <summary>Removes the record. The caller holds what keeps users away (<see cref="Host.HostNetworks.TryRemove"/>).</summary>
    public void Remove(NetworkConfig network)
    {
        if (NetworkDrivers.IsPredefined(network.Name))
        {
            throw new NetworkException(NetworkError.Conflict, $"{network.Name} is a pre-defined network and cannot be removed");
        }

        using FileLock changing = Lock();
        // Only a name that is still this network's.
        if (Files.TryReadLink(null, NameOf(network.Name), out _) == network.Id)
        {
            Files.Unlink(null, NameOf(network.Name));
        }

        Files.Unlink(null, PathOf(network.Id));
    }

    private NetworkConfig CreateLocked(NetworkRequest request)
    {
        AtomicFile.Sweep(_directory);
        List<UsedSubnet> used = [.. _hostRoutes()];
        foreach (string id in Ids())
        {
            if (TryRead(id) is not { } other)
            {
                continue;
            }

            if (Files.TryReadLink(null, NameOf(other.Name), out _) != id)
            {
                // Whoever made it was killed before it had its name; nobody else makes one while we hold the lock.
                Files.Unlink(null, PathOf(id));
                continue;
            }

            used.AddRange(other.Pools.Select(pool => new UsedSubnet(pool.Subnet, other.Name)));
        }

        NetworkConfig made = NetworkBuilder.Build(request, used);
        AtomicFile.Write(PathOf(made.Id), NetworkConfigCodec.Write(made).Span, durable: true);
        try
        {
            Claim(made);
            return made;
        }
        catch
        {
            Files.Unlink(null, PathOf(made.Id));
            throw;
        }
    }

    private void Claim(NetworkConfig network)
    {
        string name = NameOf(network.Name);
        string? owner = Files.TryReadLink(null, name, out _);
        if (owner is not null && TryRead(owner) is not null)
        {
            throw NetworkException.Conflict($"network with name {network.Name} already exists");
        }

        if (owner is not null)
        {
            // A removal was killed between the record and the name.
            Files.Unlink(null, name);
        }

        Files.MakeSymbolicLink(network.Id, null, name);
    }

    private NetworkConfig? TryReadName(string name) => Files.TryReadLink(null, NameOf(name), out _) is { } id ? TryRead(id) : null;

    /// <summary>Null where there is none.</summary>
    public NetworkConfig? TryRead(string id)
    {
        string path = PathOf(id);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out Errno errno);
        if (file is null)
        {
            return errno == Errno.ENOENT ? null : throw new SyscallException("open", path, errno);
        }

        try
        {
            return NetworkConfigCodec.Read(Files.ReadAll(file, Largest, path));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NetworkException)
        {
            throw new NetworkException(NetworkError.Host, $"{path} is damaged ({e.Message}): remove the file, and create the network again", e);
        }
    }

    private List<string> Ids()
    {
        List<string> ids = [];
        using SafeFileHandle? directory = Files.TryOpenAt(null, _directory, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        if (directory is null)
        {
            return errno == Errno.ENOENT ? ids : throw new SyscallException("open", _directory, errno);
        }

        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, _directory))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            if (name.EndsWith(".json", StringComparison.Ordinal) && !name.StartsWith("new-", StringComparison.Ordinal))
            {
                ids.Add(name[..^5]);
            }
        }

        return ids;
    }

    private FileLock Lock()
    {
        Files.MakeDirectories(_names, PrivateMode);
        return FileLock.Acquire(_directory + "/lock");
    }

    private string PathOf(string id) => string.Concat(_directory, "/", id, ".json");

    private string NameOf(string name) => string.Concat(_names, "/", name);

    private static NetworkException NoSuch(string reference) => new(NetworkError.NotFound, $"network {FlagText.Printable(reference)} not found");
}
