using System.Buffers.Binary;
using System.Text;

namespace Hull.Runtime.Systemd;

/// <summary>The other direction of <see cref="BusWriter"/>.</summary>
internal ref struct BusReader(ReadOnlySpan<byte> bytes, int position)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; } = position;

    public void Align(int boundary) => Position += (boundary - (Position % boundary)) % boundary;

    public byte ReadByte() => _bytes[Position++];

    public uint ReadUInt32()
    {
        Align(4);
        Position += 4;
        return BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(Position - 4)..]);
    }

    public string ReadText() => ReadTerminated((int)ReadUInt32());

    public string ReadSignature() => ReadTerminated(ReadByte());

    private string ReadTerminated(int length)
    {
        Position += length + 1;
        return Encoding.UTF8.GetString(_bytes.Slice(Position - length - 1, length));
    }
}
