using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>An address and port as the kernel has them: struct sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)), in place.</summary>
/// <remarks>.NET's IPEndPoint is an object for each datagram received.</remarks>
[StructLayout(LayoutKind.Explicit, Size = 28)]
public readonly record struct SocketEndpoint
{
    internal const ushort FamilyInternet = 2;
    internal const ushort FamilyInternet6 = 10;

    [FieldOffset(0)] private readonly ushort _family;

    /// <summary>Network byte order.</summary>
    [FieldOffset(2)] private readonly ushort _port;

    /// <summary>The IPv4 address, network byte order; IPv6: flow information.</summary>
    [FieldOffset(4)] private readonly uint _address;

    /// <summary>The IPv6 address, network byte order.</summary>
    [FieldOffset(8)] private readonly UInt128 _address6;
    [FieldOffset(24)] private readonly uint _scope;

    /// <param name="address">IPv4, or IPv6 with its scope.</param>
    public SocketEndpoint(IPAddress address, int port)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)port, ushort.MaxValue, nameof(port));
        _port = BinaryPrimitives.ReverseEndianness((ushort)port);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            _family = FamilyInternet;
            _address = MemoryMarshal.Read<uint>(bytes);
        }
        else
        {
            _family = FamilyInternet6;
            _address6 = MemoryMarshal.Read<UInt128>(bytes);
            _scope = (uint)address.ScopeId;
        }
    }

    /// <param name="bits4">An IPv4 address in network byte order; the port is 0.</param>
    internal SocketEndpoint(uint bits4) => (_family, _address) = (FamilyInternet, bits4);

    /// <param name="bits6">An IPv6 address in network byte order; the port is 0.</param>
    internal SocketEndpoint(UInt128 bits6) => (_family, _address6) = (FamilyInternet6, bits6);

    public int Port => BinaryPrimitives.ReverseEndianness(_port);

    internal ushort Family => _family;

    internal uint Bits4 => _address;

    internal UInt128 Bits6 => _address6;

    /// <summary>Bytes of it that the kernel reads.</summary>
    internal uint Length => _family == FamilyInternet6 ? 28u : 16u;

    public IPAddress Address => _family == FamilyInternet6
        ? new IPAddress(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in _address6)), _scope)
        : new IPAddress(_address);

    public override string ToString() => new IPEndPoint(Address, Port).ToString();
}
