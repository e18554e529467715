using Hull.Linux.Netlink;

namespace Hull.Linux.Tests.Netlink;

public sealed class NetlinkReaderTests
{
    [Fact]
    public void Next_NestedAndFlagged_AreReadWithoutTheFlags()
    {
        NetlinkReader reader = new(Convert.FromHexString("0C000280" + "08000140" + "0000002A" + "07000300" + "61620000"));

        Assert.True(reader.Next());
        NetlinkReader inside = reader.Nested;
        Assert.True(inside.Next());
        Assert.Equal((2, 1, 42u), (reader.Type, inside.Type, inside.BigEndian32));
        Assert.True(reader.Next());
        Assert.Equal("ab", reader.String);
        Assert.False(reader.Next());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0800")]
    [InlineData("03000100")]
    [InlineData("0900010000000000")]
    public void Next_TruncatedOrMalformed_Ends(string bytes) => Assert.False(new NetlinkReader(Convert.FromHexString(bytes)).Next());

    [Fact]
    public void Attributes_ShorterThanTheFixedPart_AreNone() => Assert.False(new NetlinkMessage(1, [1, 2]).Attributes(16).Next());

    [Theory]
    // CAP_ACK and a sentence.
    [InlineData(true, 0x300, "EFFFFFFF" + "20000000100005000100000000000000" + "0D000100" + "746F6F206C6F6E6700000000", Errno.EEXIST, "too long")]
    // The whole request comes back (20 bytes), and a place.
    [InlineData(true, 0x200, "EAFFFFFF" + "14000000100005000100000000000000" + "01020304" + "08000200" + "24000000", Errno.EINVAL, "the attribute at byte 36 of the request")]
    [InlineData(true, 0x100, "FFFFFFFF" + "20000000100005000100000000000000", Errno.EPERM, null)]
    [InlineData(true, 0x100, "00000000" + "20000000100005000100000000000000", Errno.None, null)]
    // NLMSG_DONE of a dump.
    [InlineData(false, 0x200, "EAFFFFFF" + "07000100" + "6E6F0000", Errno.EINVAL, "no")]
    [InlineData(false, 0, "00000000", Errno.None, null)]
    public void Error_Read_NumberAndWords(bool error, int flags, string payload, Errno errno, string? text)
    {
        Assert.Equal(errno, NetlinkError.Read(error, (ushort)flags, Convert.FromHexString(payload), out string? said));
        Assert.Equal(text, said);
    }
}
