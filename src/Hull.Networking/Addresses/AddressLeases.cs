using System.Net;
using System.Text;
using Hull.Linux;
using Hull.Networking.Records;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Addresses;

/// <summary>The addresses of a network that are in use: a directory with one symbolic link an address, to its owner.</summary>
/// <remarks>Making the link claims the address, for symlink(2) refuses a name that is taken: two processes never get the same one,
/// without a lock. A link's target is <c>CONTAINER NAME</c>, the answer to a reverse query.</remarks>
/// <param name="directory">Exists.</param>
/// <param name="isAlive">Whether a container still runs; a lease of one that was killed may be taken over.</param>
public sealed class AddressLeases(string directory, Func<string, bool> isAlive)
{
    /// <summary>An address for a container, the lowest that is free.</summary>
    /// <exception cref="NetworkException">Conflict: none is left.</exception>
    public IPAddress Claim(IpamConfig pool, string container, string name)
    {
        Subnet range = pool.Range ?? pool.Subnet;
        bool swept = false;
        while (true)
        {
            HashSet<string> taken = [.. Taken()];
            for (UInt128 i = 0; i < range.Size; i++)
            {
                IPAddress address = range.At(i);
                if (!taken.Contains(address.ToString()) && IsForContainers(pool, address) && TryClaim(address, container, name))
                {
                    return address;
                }
            }

            if (swept || !Sweep(taken))
            {
                throw NetworkException.Conflict($"no available IPv{(range.IsIPv6 ? 6 : 4)} addresses on this network's address pool {range}: remove a container, or create a network with a larger subnet");
            }

            swept = true;
        }
    }

    /// <summary>An address that was asked for.</summary>
    /// <exception cref="NetworkException">Invalid: outside of the subnet; Conflict: somebody has it.</exception>
    public IPAddress Claim(IpamConfig pool, string container, string name, IPAddress wanted)
    {
        Check(pool, wanted);
        if (!TryClaim(wanted, container, name) && !(Sweep([wanted.ToString()]) && TryClaim(wanted, container, name)))
        {
            throw NetworkException.Conflict($"Address already in use: {wanted} is {OwnerOf(wanted)}'s");
        }

        return wanted;
    }

    /// <exception cref="NetworkException">Invalid: no container can have this address here.</exception>
    public static void Check(IpamConfig pool, IPAddress wanted)
    {
        if (!pool.Subnet.Contains(wanted))
        {
            throw NetworkException.Invalid($"no configured subnet contains IP address {wanted}: the network's is {pool.Subnet}");
        }

        if (!IsForContainers(pool, wanted))
        {
            throw NetworkException.Conflict(wanted.Equals(pool.Gateway)
                ? $"Address already in use: {wanted} is the network's gateway"
                : $"address {wanted} is reserved in {pool.Subnet}");
        }
    }

    /// <summary>Gives an address that is the container's another name for the reverse question. Under the networks' lock.</summary>
    public void Rename(IPAddress address, string container, string name)
    {
        if (OwnerOf(address) == container)
        {
            // Beside the directory, in which every name is an address.
            string made = directory + ".new";
            Files.Unlink(null, made);
            Files.MakeSymbolicLink($"{container} {name}", null, made);
            Files.Rename(made, PathOf(address));
        }
    }

    /// <summary>Frees an address where it is still the container's.</summary>
    public void Release(IPAddress address, string container)
    {
        if (OwnerOf(address) == container)
        {
            Files.Unlink(null, PathOf(address));
        }
    }

    /// <summary>Frees every address of a container.</summary>
    public void ReleaseAll(string container)
    {
        foreach (string address in Taken().ToList())
        {
            Release(IPAddress.Parse(address), container);
        }
    }

    private static bool IsForContainers(IpamConfig pool, IPAddress address) =>
        !address.Equals(pool.Gateway)
        && !address.Equals(pool.Subnet.Base)
        && (pool.Subnet.IsIPv6 || !address.Equals(pool.Subnet.At(pool.Subnet.Size - 1)))
        && pool.Auxiliary?.Values.Contains(address.ToString()) != true;

    private bool TryClaim(IPAddress address, string container, string name)
    {
        try
        {
            Files.MakeSymbolicLink($"{container} {name}", null, PathOf(address));
            return true;
        }
        catch (SyscallException e) when (e.Errno == Errno.EEXIST)
        {
            return false;
        }
    }

    /// <summary>Frees those of containers that are gone. False where there were none.</summary>
    private bool Sweep(IEnumerable<string> addresses)
    {
        bool any = false;
        foreach (string text in addresses)
        {
            IPAddress address = IPAddress.Parse(text);
            if (OwnerOf(address) is { } owner && !isAlive(owner))
            {
                any = true;
                Release(address, owner);
            }
        }

        return any;
    }

    private string? OwnerOf(IPAddress address) => Files.TryReadLink(null, PathOf(address), out _)?.Split(' ')[0];

    private IEnumerable<string> Taken()
    {
        using SafeFileHandle handle = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(handle, directory))
        {
            yield return Encoding.ASCII.GetString(entry.Name);
        }
    }

    private string PathOf(IPAddress address) => $"{directory}/{address}";
}
