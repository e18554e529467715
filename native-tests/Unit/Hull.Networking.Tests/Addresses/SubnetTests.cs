using System.Net;
using Hull.Networking.Addresses;

namespace Hull.Networking.Tests.Addresses;

public sealed class SubnetTests
{
    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("192.168.1.0/24")]
    [InlineData("0.0.0.0/0")]
    [InlineData("10.1.2.3/32")]
    [InlineData("fd00:28::/64")]
    [InlineData("::/0")]
    [InlineData("fd00::1/128")]
    public void Parse_Subnet_IsWrittenTheSame(string text) => Assert.Equal(text, Subnet.Parse(text).ToString());

    [Theory]
    [InlineData("10.0.0.0", "expected ADDRESS/LENGTH")]
    [InlineData("10.0.0.0/33", "expected ADDRESS/LENGTH")]
    [InlineData("10.0.0.0/-1", "expected ADDRESS/LENGTH")]
    [InlineData("10.0.0/8", "expected ADDRESS/LENGTH")]
    [InlineData("010.0.0.0/8", "expected ADDRESS/LENGTH")]
    [InlineData("fd00::/129", "expected ADDRESS/LENGTH")]
    [InlineData("fe80::%1/64", "expected ADDRESS/LENGTH")]
    [InlineData("/24", "expected ADDRESS/LENGTH")]
    [InlineData("", "expected ADDRESS/LENGTH")]
    [InlineData("a\nb/8", "'a?b/8'")]
    [InlineData("10.1.2.3/8", "it should be 10.0.0.0/8")]
    [InlineData("fd00::1/64", "it should be fd00::/64")]
    public void Parse_NoSubnet_SaysWhatIsExpected(string text, string words)
    {
        NetworkException error = Assert.Throws<NetworkException>(() => Subnet.Parse(text));

        Assert.Equal(NetworkError.Invalid, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", true)]
    [InlineData("10.1.0.0/16", "10.0.0.0/8", true)]
    [InlineData("10.1.0.0/16", "10.2.0.0/16", false)]
    [InlineData("0.0.0.0/0", "::/0", false)]
    [InlineData("fd00::/8", "fd12:3456::/32", true)]
    public void Overlaps_TwoSubnets_EitherWay(string one, string other, bool expected) =>
        Assert.Equal(expected, Subnet.Parse(one).Overlaps(Subnet.Parse(other)));

    [Fact]
    public void At_OffsetOf_AreInverse()
    {
        Subnet subnet = Subnet.Parse("172.20.0.0/16");

        Assert.Equal(IPAddress.Parse("172.20.1.2"), subnet.At(258));
        Assert.Equal((UInt128)258, subnet.OffsetOf(IPAddress.Parse("172.20.1.2")));
        Assert.Equal("172.22.0.0/16", subnet.Next(2).ToString());
        Assert.Equal((UInt128)65536, subnet.Size);
        Assert.Equal(UInt128.One << 64, Subnet.Parse("fd00::/64").Size);
    }
}
