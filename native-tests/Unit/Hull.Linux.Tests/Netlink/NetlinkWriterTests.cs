using System.Net;
using Hull.Linux.Netlink;

namespace Hull.Linux.Tests.Netlink;

/// <summary>The byte layout of requests, against hand-written messages (netlink(7), little-endian machines).</summary>
public sealed class NetlinkWriterTests
{
    [Fact]
    public void Message_AttributesAndNests_ArePaddedAndMeasured()
    {
        using NetlinkWriter writer = new();
        writer.Message(16, NetlinkFlags.Request | NetlinkFlags.Acknowledge, [1, 2, 3, 4]);
        writer.PutString(3, "br0");
        using (writer.Open(18))
        {
            writer.PutString(1, "veth5");
            using (writer.Open(2, [9, 9, 9, 9]))
            {
                writer.PutByte(7, 1);
            }
        }

        writer.PutFlag(8);
        Assert.Equal(
            "40000000" + "1000" + "0500" + "00000000" + "00000000" + "01020304"
            + "0800" + "0300" + "62723000"
            + "2000" + "1280"
            + "0A00" + "0100" + "766574683500" + "0000"
            + "1000" + "0280" + "09090909" + "0500" + "0700" + "01000000"
            + "0400" + "0800",
            Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void Put_Numbers_EachInItsByteOrder()
    {
        using NetlinkWriter writer = new();
        writer.Message(1, NetlinkFlags.None, []);
        writer.PutUInt16(1, 0x0102);
        writer.PutUInt32(2, 0x01020304);
        writer.PutBigEndian16(3, 0x0102);
        writer.PutBigEndian32(4, 0x01020304);
        writer.PutBigEndian64(5, 0x0102030405060708);
        writer.PutAddress(6, IPAddress.Parse("10.0.0.1"));
        writer.PutAddress(7, IPAddress.Parse("fd00::1"));

        Assert.Equal(
            "06000100" + "02010000" + "08000200" + "04030201" + "06000300" + "01020000" + "08000400" + "01020304"
            + "0C000500" + "0102030405060708" + "08000600" + "0A000001" + "14000700" + "FD000000000000000000000000000001",
            Convert.ToHexString(writer.Written[16..]));
    }

    [Fact]
    public void Message_Several_EachHasItsLengthAndNumber()
    {
        using NetlinkWriter writer = new();
        writer.Message(1, NetlinkFlags.None, []);
        writer.PutByte(1, 1);
        writer.Message(2, NetlinkFlags.None, []);

        Assert.Equal(2, writer.Number(7));
        Assert.Equal(
            "18000000" + "01000000" + "07000000" + "00000000" + "05000100" + "01000000" + "10000000" + "02000000" + "08000000" + "00000000",
            Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void Put_MoreThanTheFirstBuffer_KeepsWhatIsThere()
    {
        using NetlinkWriter writer = new();
        writer.Message(1, NetlinkFlags.None, []);
        byte[] large = new byte[60_000];
        large.AsSpan().Fill(7);
        writer.PutByte(1, 5);
        writer.Put(2, large);

        NetlinkReader reader = new NetlinkMessage(1, writer.Written[16..]).Attributes(0);
        Assert.True(reader.Next());
        Assert.Equal((1, 5), (reader.Type, reader.Byte));
        Assert.True(reader.Next());
        Assert.True(reader.Value.SequenceEqual(large));
        Assert.False(reader.Next());
    }

    [Fact]
    public void Put_MoreThanAnAttributeHolds_IsRefused()
    {
        using NetlinkWriter writer = new();
        writer.Message(1, NetlinkFlags.None, []);

        Assert.Contains("attribute 2 of 65536 bytes", Assert.Throws<ArgumentException>(() => writer.Put(2, new byte[65_532])).Message, StringComparison.Ordinal);
        Assert.Contains("attribute 3 of", Assert.Throws<ArgumentException>(() =>
        {
            using (writer.Open(3))
            {
                writer.Put(1, new byte[40_000]);
                writer.Put(1, new byte[40_000]);
            }
        }).Message, StringComparison.Ordinal);
    }
}
