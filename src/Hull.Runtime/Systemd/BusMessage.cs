using System.Buffers.Binary;

namespace Hull.Runtime.Systemd;

/// <summary>The kinds of D-Bus messages; the numbers are the wire's.</summary>
internal enum BusMessageKind
{
    Call = 1,
    Return = 2,
    Error = 3,
    Signal = 4,
}

/// <summary>A message that came, as far as a client of systemd looks at it.</summary>
/// <param name="Replies">The serial of the call that it answers; 0 where it answers none.</param>
/// <param name="ErrorName"><c>org.freedesktop.systemd1.NoSuchUnit</c>; empty where it is no error.</param>
/// <param name="Member">A signal's name.</param>
/// <param name="Texts">The strings and object paths of its body, in their order.</param>
internal sealed record BusMessage(BusMessageKind Kind, uint Replies, string ErrorName, string Member, IReadOnlyList<string> Texts)
{
    /// <summary>The part of a message that says how long it is.</summary>
    public const int FixedLength = 16;

    /// <summary>The whole message's length, from its first <see cref="FixedLength"/> bytes.</summary>
    /// <exception cref="ContainerException">It is not one of systemd's: too long, or not little-endian, as this machine is.</exception>
    public static int LengthOf(ReadOnlySpan<byte> start)
    {
        uint body = BinaryPrimitives.ReadUInt32LittleEndian(start[4..]);
        uint fields = BinaryPrimitives.ReadUInt32LittleEndian(start[12..]);
        // The specification's bound is 128 MiB; what systemd says here is far below one.
        return start[0] == 'l' && body < 1 << 20 && fields < 1 << 16
            ? FixedLength + (int)((fields + 7) / 8 * 8) + (int)body
            : throw new ContainerException(ContainerFault.Engine, "systemd sent what is not a D-Bus message of its own");
    }

    public static BusMessage Read(ReadOnlySpan<byte> message)
    {
        BusReader reader = new(message, 12);
        int end = FixedLength + (int)reader.ReadUInt32();
        uint replies = 0;
        string error = "", member = "", signature = "";
        while (reader.Position < end)
        {
            reader.Align(8);
            byte field = reader.ReadByte();
            switch (reader.ReadSignature())
            {
                case "u":
                    uint number = reader.ReadUInt32();
                    replies = field == 5 ? number : replies;
                    break;
                case "g":
                    string types = reader.ReadSignature();
                    signature = field == 8 ? types : signature;
                    break;
                default:
                    string text = reader.ReadText();
                    error = field == 4 ? text : error;
                    member = field == 3 ? text : member;
                    break;
            }
        }

        reader.Align(8);
        return new BusMessage((BusMessageKind)message[1], replies, error, member, ReadTexts(ref reader, signature));
    }

    /// <summary>Up to the first value of another type, behind which nothing is of interest.</summary>
    private static List<string> ReadTexts(ref BusReader reader, string signature)
    {
        List<string> texts = [];
        foreach (char type in signature)
        {
            switch (type)
            {
                case 'u':
                    reader.ReadUInt32();
                    break;
                case 's' or 'o':
                    texts.Add(reader.ReadText());
                    break;
                default:
                    return texts;
            }
        }

        return texts;
    }
}
