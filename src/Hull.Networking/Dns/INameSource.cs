using System.Net;

namespace Hull.Networking.Dns;

/// <summary>What a container's DNS server knows of its own: the names and addresses of the networks the container is on.</summary>
public interface INameSource
{
    /// <summary>The addresses of a name.</summary>
    /// <param name="name">Lower case, letters, digits, <c>-</c>, <c>_</c> and single dots between; at most 253 bytes.</param>
    /// <param name="addresses">Empty; the addresses are added, in no order that means anything.</param>
    /// <returns>False where the name is unknown; true without an address where it is known and has none.</returns>
    /// <exception cref="Linux.SyscallException">The names cannot be read.</exception>
    bool TryLookup(ReadOnlySpan<byte> name, AddressList addresses);

    /// <summary>The name of an address.</summary>
    /// <param name="name">At least 253 bytes.</param>
    /// <returns>Bytes of the name; 0 where the address is unknown.</returns>
    /// <exception cref="Linux.SyscallException">The addresses cannot be read.</exception>
    int Reverse(IPAddress address, Span<byte> name);
}
