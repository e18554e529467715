using System.Net;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>Names from the networks' state on disk, read anew for every question: a change shows at once, and no name takes memory.</summary>
/// <remarks>
/// <code>
/// NETWORKS/NETWORK/names/NAME/SHORT-ID  ─▶  IPV4,IPV6          one symbolic link an endpoint; either may be empty
/// NETWORKS/NETWORK/addresses/ADDRESS    ─▶  CONTAINER-ID NAME  NAME answers the reverse question
/// </code>
/// Links, since one is made, replaced (rename(2)) and read in a single call, so that no half of one is ever seen. NAME is in lower
/// case; ADDRESS is written as <see cref="IPAddress.ToString"/> does. Not thread-safe.
/// </remarks>
public sealed class DirectoryNames : INameSource, IDisposable
{
    /// <summary>Two addresses and the comma: 15 + 1 + 45.</summary>
    private const int MaxTargetBytes = 64;

    /// <summary>Two names of directory entries and "addresses" with slashes.</summary>
    private const int MaxPathBytes = (2 * Files.MaxNameBytes) + 16;

    private readonly SafeFileHandle _networks;
    private NamedNetwork[] _own = [];

    /// <param name="networksDirectory">The directory that has one for each network.</param>
    /// <exception cref="SyscallException">It is not there.</exception>
    public DirectoryNames(string networksDirectory) =>
        _networks = Files.Open(networksDirectory, OpenFlags.Path | OpenFlags.Directory);

    /// <summary>The container is on these networks from now on.</summary>
    public void SetNetworks(params NamedNetwork[] networks) => _own = networks;

    public bool TryLookup(ReadOnlySpan<byte> name, AddressList addresses)
    {
        bool known = false;
        foreach (NamedNetwork network in _own)
        {
            known |= TryRead(network, name, addresses);
            // NAME.NETWORK: a network's name may have upper case letters, the question is in lower case.
            int own = name.Length - network.Name.Length - 1;
            if (own > 0 && name[own] == '.' && Ascii.EqualsIgnoreCase(name[(own + 1)..], network.Name))
            {
                known |= TryRead(network, name[..own], addresses);
            }
        }

        return known;
    }

    public int Reverse(IPAddress address, Span<byte> name)
    {
        Span<byte> text = stackalloc byte[64];
        address.TryFormat(text, out int length);
        Span<byte> path = stackalloc byte[MaxPathBytes];
        Span<byte> target = stackalloc byte[64 + 1 + DnsName.MaxTextBytes];
        foreach (NamedNetwork network in _own)
        {
            int bytes = Files.TryReadLink(_networks, Join(path, network.Directory, "addresses"u8, text[..length]), target, out Errno errno);
            if (bytes < 0 && errno != Errno.ENOENT)
            {
                throw new SyscallException("readlink", Encoding.UTF8.GetString(Join(path, network.Directory, "addresses"u8, text[..length])), errno);
            }

            int space = bytes < 0 ? -1 : target[..bytes].IndexOf((byte)' ');
            if (space >= 0)
            {
                ReadOnlySpan<byte> found = target[(space + 1)..bytes];
                found.CopyTo(name);
                return found.Length;
            }
        }

        return 0;
    }

    public void Dispose() => _networks.Dispose();

    private bool TryRead(NamedNetwork network, ReadOnlySpan<byte> asked, AddressList addresses)
    {
        ReadOnlySpan<byte> name = network.Follow(asked);
        Span<byte> path = stackalloc byte[MaxPathBytes];
        using SafeFileHandle? directory = Files.TryOpenBeneath(
            _networks, Join(path, network.Directory, "names"u8, name), OpenFlags.ReadOnly | OpenFlags.Directory, 0, ResolveFlags.Beneath | ResolveFlags.NoSymlinks, out Errno errno);
        if (directory is null)
        {
            return errno == Errno.ENOENT ? false : throw new SyscallException("open", Encoding.UTF8.GetString(Join(path, network.Directory, "names"u8, name)), errno);
        }

        bool known = false;
        Span<byte> target = stackalloc byte[MaxTargetBytes];
        DirectoryReader endpoints = new(directory, stackalloc byte[4096]);
        while (endpoints.MoveNext())
        {
            // What is not a link, or not any more, is no endpoint.
            int length = Files.TryReadLink(directory, endpoints.Name, target, out _);
            if (length >= 0)
            {
                known = true;
                ReadAddresses(target[..length], addresses);
            }
        }

        return known;
    }

    private static void ReadAddresses(ReadOnlySpan<byte> target, AddressList addresses)
    {
        Span<char> text = stackalloc char[MaxTargetBytes];
        Span<byte> bytes = stackalloc byte[16];
        while (!target.IsEmpty)
        {
            int comma = target.IndexOf((byte)',');
            ReadOnlySpan<byte> one = comma < 0 ? target : target[..comma];
            target = comma < 0 ? [] : target[(comma + 1)..];
            if (IPAddress.TryParse(text[..Encoding.ASCII.GetChars(one, text)], out IPAddress? address))
            {
                address.TryWriteBytes(bytes, out int length);
                addresses.Add(bytes[..length]);
            }
        }
    }

    private static ReadOnlySpan<byte> Join(Span<byte> path, ReadOnlySpan<byte> network, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> name)
    {
        network.CopyTo(path);
        path[network.Length] = (byte)'/';
        kind.CopyTo(path[(network.Length + 1)..]);
        int length = network.Length + 1 + kind.Length;
        path[length++] = (byte)'/';
        name.CopyTo(path[length..]);
        return path[..(length + name.Length)];
    }
}
