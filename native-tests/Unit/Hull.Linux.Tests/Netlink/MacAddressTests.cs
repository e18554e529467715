using Hull.Linux.Netlink;

namespace Hull.Linux.Tests.Netlink;

public sealed class MacAddressTests
{
    [Theory]
    [InlineData("02:42:ac:11:00:02")]
    [InlineData("02-42-AC-11-00-02")]
    public void Parse_WellFormed_PrintsInLowerCase(string text)
    {
        MacAddress address = MacAddress.Parse(text);
        byte[] bytes = new byte[6];
        address.CopyTo(bytes);

        Assert.Equal("02:42:ac:11:00:02", address.ToString());
        Assert.Equal([2, 0x42, 0xac, 0x11, 0, 2], bytes);
        Assert.Equal(address, new MacAddress(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:42:ac:11:00")]
    [InlineData("02:42:ac:11:00:0g")]
    [InlineData("02:42:ac:11:00-02")]
    [InlineData("0242.ac11.0002.00")]
    [InlineData("02:42:ac:11:00:002")]
    public void Parse_Malformed_ShowsTheForm(string text) =>
        Assert.Contains("02:42:ac:11:00:02", Assert.Throws<FormatException>(() => MacAddress.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("02:42:ac:11:00:02", true)]
    [InlineData("01:00:5e:00:00:01", false)]
    [InlineData("00:00:00:00:00:00", false)]
    [InlineData("ff:ff:ff:ff:ff:ff", false)]
    public void IsUnicast_GroupOrZero_IsFalse(string text, bool unicast) => Assert.Equal(unicast, MacAddress.Parse(text).IsUnicast);
}
