using Hull.Runtime.Systemd;

namespace Hull.Runtime.Tests.Systemd;

/// <summary>The wire form, by the tables of the D-Bus specification ("Marshaling", "Message Protocol").</summary>
public sealed class BusMessageTests
{
    [Fact]
    public void Write_Properties_AreAlignedStructuresWithVariants()
    {
        BusWriter writer = new();

        UnitProperty.WriteAll(writer, [new UnitProperty("A", true), new UnitProperty("B", (uint[])[7])]);

        byte[] expected =
        [
            36, 0, 0, 0, 0, 0, 0, 0, // length of the array, then its elements from a multiple of 8 on
            1, 0, 0, 0, (byte)'A', 0, 1, (byte)'b', // the name, the variant's signature
            0, 0, 0, 0, 1, 0, 0, 0, // its end and a pad; true
            1, 0, 0, 0, (byte)'B', 0, 2, (byte)'a',
            (byte)'u', 0, 0, 0, 4, 0, 0, 0, // a pad; four bytes of elements
            7, 0, 0, 0,
        ];
        Assert.Equal(expected, writer.Bytes.ToArray());
    }

    [Fact]
    public void Read_ErrorReply_HasItsNameAndText()
    {
        byte[] message = Message(BusMessageKind.Error, "s", fields =>
        {
            Field(fields, 4, "s", writer => writer.WriteText("org.freedesktop.systemd1.NoSuchUnit"));
            Field(fields, 5, "u", writer => writer.WriteUInt32(12));
        }, body => body.WriteText("Unit x.scope not loaded."));

        BusMessage read = BusMessage.Read(message);

        Assert.Equal(message.Length, BusMessage.LengthOf(message));
        Assert.Equal((BusMessageKind.Error, 12u, ManagerConnection.NoSuchUnit), (read.Kind, read.Replies, read.ErrorName));
        Assert.Equal(["Unit x.scope not loaded."], read.Texts);
    }

    [Fact]
    public void Read_JobRemoved_HasItsThreeTexts()
    {
        byte[] message = Message(BusMessageKind.Signal, "uoss",
            fields => Field(fields, 3, "s", writer => writer.WriteText("JobRemoved")),
            body =>
            {
                body.WriteUInt32(9);
                body.WriteText("/org/freedesktop/systemd1/job/9");
                body.WriteText("x.scope");
                body.WriteText("done");
            });

        BusMessage read = BusMessage.Read(message);

        Assert.Equal((BusMessageKind.Signal, "JobRemoved"), (read.Kind, read.Member));
        Assert.Equal(["/org/freedesktop/systemd1/job/9", "x.scope", "done"], read.Texts);
    }

    [Fact]
    public void LengthOf_OtherByteOrderOrHugeBody_IsRefused()
    {
        byte[] start = new byte[BusMessage.FixedLength];
        start[0] = (byte)'B';
        Assert.Throws<ContainerException>(() => BusMessage.LengthOf(start));
        start[0] = (byte)'l';
        start[7] = 0x7f;
        Assert.Throws<ContainerException>(() => BusMessage.LengthOf(start));
    }

    private static void Field(BusWriter fields, byte number, string signature, Action<BusWriter> value)
    {
        fields.Align(8);
        fields.WriteByte(number);
        fields.WriteSignature(signature);
        value(fields);
    }

    private static byte[] Message(BusMessageKind kind, string signature, Action<BusWriter> fields, Action<BusWriter> body)
    {
        BusWriter content = new();
        body(content);
        BusWriter header = new();
        foreach (byte value in (byte[])[(byte)'l', (byte)kind, 0, 1])
        {
            header.WriteByte(value);
        }

        header.WriteUInt32((uint)content.Length);
        header.WriteUInt32(1);
        header.WriteArray(8, all =>
        {
            fields(all);
            Field(all, 8, "g", writer => writer.WriteSignature(signature));
        });
        header.Align(8);
        return [.. header.Bytes, .. content.Bytes];
    }
}
