using System.Buffers.Binary;
using System.Text;
using Hull.Linux;

namespace Hull.Engine.Monitor;

/// <summary>Takes the values of one frame's payload in order.</summary>
/// <remarks>Every method throws <see cref="InvalidDataException"/> where the payload ends too early; what follows the last
/// value is a newer peer's and is left.</remarks>
internal ref struct FrameReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    public byte Byte() => Take(1)[0];

    public bool Flag() => Byte() != 0;

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public string Text() => Encoding.UTF8.GetString(Take(Int32()));

    public string? OptionalText() => Flag() ? Text() : null;

    public List<string> Texts()
    {
        int count = Int32();
        // Each takes four bytes at least: a count that cannot be true must not reserve memory.
        if (count < 0 || count > _rest.Length / 4)
        {
            throw Truncated();
        }

        List<string> values = new(count);
        for (int i = 0; i < count; i++)
        {
            values.Add(Text());
        }

        return values;
    }

    /// <summary>Null where the writer had no size.</summary>
    public TerminalSize? Size()
    {
        int value = Int32();
        return value == 0 ? null : new TerminalSize((ushort)(value >> 16), (ushort)value);
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw Truncated();
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static InvalidDataException Truncated() => new("monitor protocol: a frame is shorter than its kind");
}
