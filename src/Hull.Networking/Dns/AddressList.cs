using System.Runtime.InteropServices;

namespace Hull.Networking.Dns;

/// <summary>The addresses of one name. Kept and filled anew for each question.</summary>
public sealed class AddressList
{
    /// <summary>IPv4 addresses; the bytes in memory are in network order.</summary>
    internal List<uint> Version4 { get; } = [];

    /// <summary>IPv6 addresses; the bytes in memory are in network order.</summary>
    internal List<UInt128> Version6 { get; } = [];

    public void Clear()
    {
        Version4.Clear();
        Version6.Clear();
    }

    /// <summary>Adds the bytes of an address; one that is there already stays once.</summary>
    /// <param name="address">4 or 16 bytes in network order.</param>
    public void Add(ReadOnlySpan<byte> address)
    {
        if (address.Length == 4)
        {
            AddNew(Version4, MemoryMarshal.Read<uint>(address));
        }
        else
        {
            AddNew(Version6, MemoryMarshal.Read<UInt128>(address));
        }
    }

    private static void AddNew<T>(List<T> list, T address)
    {
        if (!list.Contains(address))
        {
            list.Add(address);
        }
    }
}
