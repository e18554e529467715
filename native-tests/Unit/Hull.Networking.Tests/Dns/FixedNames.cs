using System.Net;
using System.Text;
using Hull.Linux;
using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

/// <summary>Names out of a table.</summary>
internal sealed class FixedNames : INameSource
{
    public Dictionary<string, string[]> Names { get; } = [];

    public Dictionary<string, string> Addresses { get; } = [];

    /// <summary>Every question fails with it.</summary>
    public Errno Failure { get; set; }

    public bool TryLookup(ReadOnlySpan<byte> name, AddressList addresses)
    {
        if (Failure != Errno.None)
        {
            throw new SyscallException("open", "names", Failure);
        }

        if (!Names.TryGetValue(Encoding.ASCII.GetString(name), out string[]? known))
        {
            return false;
        }

        foreach (string address in known)
        {
            addresses.Add(IPAddress.Parse(address).GetAddressBytes());
        }

        return true;
    }

    public int Reverse(IPAddress address, Span<byte> name) =>
        Addresses.TryGetValue(address.ToString(), out string? known) ? Encoding.ASCII.GetBytes(known, name) : 0;
}
