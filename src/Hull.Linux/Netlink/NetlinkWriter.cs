using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Hull.Linux.Netlink;

/// <summary>Netlink messages as bytes: one or several, each a header, a fixed part and attributes (netlink(7)).</summary>
/// <remarks>Not thread-safe. The buffer is pooled and goes back on disposal. Numbers are in the byte order of the machine unless the
/// name says otherwise: netfilter wants big-endian ones.</remarks>
public sealed class NetlinkWriter : IDisposable
{
    internal const int HeaderBytes = 16;
    private const int AttributeHeaderBytes = 4;

    // NLA_F_NESTED: the strict checks of newer message types want it.
    private const ushort NestedFlag = 0x8000;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);
    private int _length;
    private int _message;

    /// <summary>All messages so far.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Starts a message: what is written next belongs to it, until the next one starts.</summary>
    /// <param name="fixedPart">What follows the header: struct ifinfomsg, struct rtmsg, struct nfgenmsg.</param>
    public void Message(ushort type, NetlinkFlags flags, ReadOnlySpan<byte> fixedPart)
    {
        _message = _length;
        Span<byte> header = Reserve(HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)flags);
        fixedPart.CopyTo(Reserve(fixedPart.Length));
        CloseMessage();
    }

    /// <summary>Adds a flag to the message that was started last.</summary>
    internal void AddFlag(NetlinkFlags flag)
    {
        Span<byte> flags = _buffer.AsSpan(_message + 6);
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | (ushort)flag));
    }

    /// <summary>An attribute of bytes as they are.</summary>
    /// <exception cref="ArgumentException">More than an attribute holds: its length is a number of 16 bits.</exception>
    public void Put(ushort type, ReadOnlySpan<byte> value) => value.CopyTo(Attribute(type, value.Length));

    /// <summary>An attribute whose presence says all (NLA_FLAG).</summary>
    public void PutFlag(ushort type) => Attribute(type, 0);

    public void PutByte(ushort type, byte value) => Attribute(type, 1)[0] = value;

    public void PutUInt16(ushort type, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Attribute(type, 2), value);

    public void PutUInt32(ushort type, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Attribute(type, 4), value);

    public void PutBigEndian16(ushort type, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Attribute(type, 2), value);

    public void PutBigEndian32(ushort type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Attribute(type, 4), value);

    public void PutBigEndian64(ushort type, ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Attribute(type, 8), value);

    /// <summary>UTF-8 with a zero byte at the end.</summary>
    public void PutString(ushort type, string value) =>
        Encoding.UTF8.GetBytes(value, Attribute(type, Encoding.UTF8.GetByteCount(value) + 1));

    /// <summary>4 or 16 bytes in network order.</summary>
    public void PutAddress(ushort type, IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        Put(type, bytes[..length]);
    }

    /// <summary>An attribute made of what is written until the result is disposed.</summary>
    public Nest Open(ushort type) => Open(type, []);

    /// <summary>As <see cref="Open(ushort)"/>, with bytes before the attributes inside (VETH_INFO_PEER has a struct ifinfomsg).</summary>
    public Nest Open(ushort type, ReadOnlySpan<byte> fixedPart)
    {
        int start = _length;
        Put((ushort)(type | NestedFlag), fixedPart);
        return new Nest(this, start);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _length = 0;
        }
    }

    /// <summary>Gives every message its number, from <paramref name="first"/> on.</summary>
    /// <returns>How many messages there are.</returns>
    internal int Number(uint first)
    {
        int count = 0;
        for (int at = 0; at < _length; count++)
        {
            Span<byte> header = _buffer.AsSpan(at);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], first + (uint)count);
            at += Align((int)BinaryPrimitives.ReadUInt32LittleEndian(header));
        }

        return count;
    }

    internal static int Align(int length) => (length + 3) & ~3;

    private Span<byte> Attribute(ushort type, int length)
    {
        CheckLength(length + AttributeHeaderBytes, type);
        Span<byte> attribute = Reserve(AttributeHeaderBytes + length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(AttributeHeaderBytes + length));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], type);
        CloseMessage();
        return attribute[AttributeHeaderBytes..];
    }

    private void Close(int start)
    {
        int length = _length - start;
        Span<byte> attribute = _buffer.AsSpan(start);
        CheckLength(length, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(attribute[2..]) & ~NestedFlag));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)length);
    }

    private static void CheckLength(int length, ushort type)
    {
        if (length > ushort.MaxValue)
        {
            throw new ArgumentException($"netlink attribute {type} of {length} bytes: an attribute holds 65535");
        }
    }

    private void CloseMessage() => BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_message), (uint)(_length - _message));

    /// <summary>Zeroed room at the end, padded to four bytes.</summary>
    private Span<byte> Reserve(int length)
    {
        int padded = Align(length);
        if (_buffer.Length - _length < padded)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + padded));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        Span<byte> room = _buffer.AsSpan(_length, padded);
        room.Clear();
        _length += padded;
        return room[..length];
    }

    /// <summary>An attribute that is being written; disposal ends it.</summary>
    public readonly struct Nest : IDisposable
    {
        private readonly NetlinkWriter _writer;
        private readonly int _start;

        internal Nest(NetlinkWriter writer, int start)
        {
            _writer = writer;
            _start = start;
        }

        public void Dispose() => _writer.Close(_start);
    }
}
