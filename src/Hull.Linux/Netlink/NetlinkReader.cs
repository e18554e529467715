using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Hull.Linux.Netlink;

/// <summary>The attributes of a message, or of an attribute, one after the other.</summary>
/// <remarks><c>while (reader.Next()) switch (reader.Type) …</c>. Truncated input ends the walk: the kernel's messages are whole, and
/// nothing is ever read beyond the bytes given.</remarks>
public ref struct NetlinkReader(ReadOnlySpan<byte> attributes)
{
    private const int TypeMask = 0x3FFF;

    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>Of the current attribute, without the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    public ushort Type { get; private set; }

    /// <summary>Of the current attribute.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The attributes within the current one.</summary>
    public readonly NetlinkReader Nested => new(Value);

    public readonly byte Byte => Value[0];

    public readonly ushort UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Value);

    public readonly uint UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(Value);

    public readonly int Int32 => BinaryPrimitives.ReadInt32LittleEndian(Value);

    public readonly ushort BigEndian16 => BinaryPrimitives.ReadUInt16BigEndian(Value);

    public readonly uint BigEndian32 => BinaryPrimitives.ReadUInt32BigEndian(Value);

    public readonly ulong BigEndian64 => BinaryPrimitives.ReadUInt64BigEndian(Value);

    /// <summary>UTF-8 up to the zero byte, where there is one.</summary>
    public readonly string String
    {
        get
        {
            int end = Value.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
        }
    }

    /// <summary>4 bytes are IPv4, 16 are IPv6.</summary>
    public readonly IPAddress Address => new(Value);

    /// <summary>Moves to the next attribute; false after the last.</summary>
    public bool Next()
    {
        if (_rest.Length < 4)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < 4 || length > _rest.Length)
        {
            return false;
        }

        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask);
        Value = _rest[4..length];
        _rest = _rest[Math.Min(NetlinkWriter.Align(length), _rest.Length)..];
        return true;
    }
}
