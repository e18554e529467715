using System.Buffers.Binary;
using System.Text;
using Hull.Linux;

namespace Hull.Engine.Monitor;

/// <summary>Builds one frame. Not thread-safe; short-lived.</summary>
internal sealed class FrameWriter
{
    private byte[] _bytes = new byte[256];
    private int _length = Frame.HeaderLength;

    public FrameWriter(FrameKind kind) => _bytes[4] = (byte)kind;

    /// <summary>Header and payload.</summary>
    /// <exception cref="InvalidDataException">The payload is longer than the protocol allows.</exception>
    public ReadOnlySpan<byte> Finish()
    {
        int payload = _length - Frame.HeaderLength;
        if (payload > Frame.MaximumPayload)
        {
            throw new InvalidDataException($"a request of {payload} bytes is longer than the monitor takes ({Frame.MaximumPayload})");
        }

        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, (uint)payload);
        return _bytes.AsSpan(0, _length);
    }

    public FrameWriter Byte(byte value)
    {
        Room(1)[0] = value;
        return this;
    }

    public FrameWriter Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public FrameWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Room(4), value);
        return this;
    }

    /// <summary>UTF-8 with its length in front.</summary>
    public FrameWriter Text(string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Int32(length);
        Encoding.UTF8.GetBytes(value, Room(length));
        return this;
    }

    public FrameWriter OptionalText(string? value) => value is null ? Flag(false) : Flag(true).Text(value);

    public FrameWriter Texts(IReadOnlyList<string> values)
    {
        Int32(values.Count);
        for (int i = 0; i < values.Count; i++)
        {
            Text(values[i]);
        }

        return this;
    }

    public FrameWriter Size(TerminalSize? value) => Int32(value is TerminalSize size ? (size.Rows << 16) | size.Columns : 0);

    private Span<byte> Room(int count)
    {
        if (_length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        Span<byte> room = _bytes.AsSpan(_length, count);
        _length += count;
        return room;
    }
}
