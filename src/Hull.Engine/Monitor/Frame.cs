using System.Buffers.Binary;

namespace Hull.Engine.Monitor;

/// <summary>The header of a frame and the bounds of the protocol.</summary>
internal static class Frame
{
    public const int HeaderLength = 8;

    /// <summary>Most bytes of output or input in one frame.</summary>
    public const int MaximumData = 32 * 1024;

    /// <summary>Most bytes of any frame: an exec's arguments and environment are bounded by the kernel's own 2 MiB.</summary>
    public const int MaximumPayload = 4 * 1024 * 1024;

    /// <summary>Bytes kept for a client that does not read, and for a payload that does not.</summary>
    public const int MaximumBacklog = 128 * 1024;

    /// <summary>How long an attached client may take nothing before it is cut off.</summary>
    public const int PatienceSeconds = 10;

    public static void WriteHeader(Span<byte> destination, FrameKind kind, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (byte)kind);
    }

    /// <summary>Finds the first frame in what has been received.</summary>
    /// <param name="needed">Bytes that the frame takes with its header; where it is not whole yet, what to make room for.</param>
    /// <returns>Whether the frame is whole.</returns>
    /// <exception cref="InvalidDataException">No frame of this protocol.</exception>
    public static bool TryRead(ReadOnlySpan<byte> received, out FrameKind kind, out ReadOnlySpan<byte> payload, out int needed)
    {
        kind = 0;
        payload = default;
        needed = HeaderLength;
        if (received.Length < HeaderLength)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(received);
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(received[4..]);
        if (length > MaximumPayload || word is 0 or > byte.MaxValue)
        {
            throw new InvalidDataException($"monitor protocol: no frame starts with length {length} and kind {word}");
        }

        needed = HeaderLength + (int)length;
        if (received.Length < needed)
        {
            return false;
        }

        kind = (FrameKind)word;
        payload = received[HeaderLength..needed];
        return true;
    }
}
