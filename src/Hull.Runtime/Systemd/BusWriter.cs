using System.Buffers.Binary;
using System.Text;

namespace Hull.Runtime.Systemd;

/// <summary>Values in D-Bus's wire form, little-endian (D-Bus specification, "Marshaling").</summary>
/// <remarks>Positions count from the start of this buffer: a header and a body each begin at a multiple of 8, so that each may be
/// written by itself.</remarks>
internal sealed class BusWriter
{
    private byte[] _bytes = new byte[512];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Align(int boundary) => Take((boundary - (Length % boundary)) % boundary);

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteUInt32(uint value)
    {
        Align(4);
        BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);
    }

    public void WriteUInt64(ulong value)
    {
        Align(8);
        BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);
    }

    /// <summary>Four bytes, as all booleans of D-Bus.</summary>
    public void WriteBoolean(bool value) => WriteUInt32(value ? 1u : 0u);

    /// <summary>A string or an object path.</summary>
    public void WriteText(string value)
    {
        WriteUInt32((uint)Encoding.UTF8.GetByteCount(value));
        WriteTerminated(value);
    }

    public void WriteSignature(string value)
    {
        WriteByte((byte)value.Length);
        WriteTerminated(value);
    }

    /// <summary>An array, whose length in bytes comes before elements that <paramref name="write"/> writes.</summary>
    /// <param name="boundary">What the elements are aligned to: 8 for structures and dictionary entries.</param>
    public void WriteArray(int boundary, Action<BusWriter> write)
    {
        WriteUInt32(0);
        int length = Length - 4;
        Align(boundary);
        int first = Length;
        write(this);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(length), (uint)(Length - first));
    }

    private void WriteTerminated(string value)
    {
        Span<byte> bytes = Take(Encoding.UTF8.GetByteCount(value) + 1);
        Encoding.UTF8.GetBytes(value, bytes);
    }

    private Span<byte> Take(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Length + count));
        }

        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }
}
