using Hull.Cli.Output;

namespace Hull.Cli.Tests.Output;

public class UnitsTests
{
    [Theory]
    [InlineData(0, 3, "0B")]
    [InlineData(999, 3, "999B")]
    [InlineData(1000, 3, "1kB")]
    [InlineData(4_430_000, 3, "4.43MB")]
    [InlineData(4_429_876, 4, "4.43MB")]
    [InlineData(1_093_484, 4, "1.093MB")]
    [InlineData(187_654_321, 3, "188MB")]
    [InlineData(999_960_000, 3, "1GB")]
    [InlineData(12_345_678_901_234, 3, "12.3TB")]
    public void HumanSize_Bytes_SignificantDigits(long bytes, int digits, string expected) =>
        Assert.Equal(expected, Units.HumanSize(bytes, digits));

    [Theory]
    [InlineData(1023, "1023B")]
    [InlineData(1024, "1KiB")]
    [InlineData(8_322_543_616, "7.751GiB")]
    public void BytesSize_Bytes_PowersOf1024(long bytes, string expected) => Assert.Equal(expected, Units.BytesSize(bytes));

    [Theory]
    [InlineData(0.4, "Less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "About a minute")]
    [InlineData(150, "2 minutes")]
    [InlineData(3600, "About an hour")]
    [InlineData(3 * 3600, "3 hours")]
    [InlineData(47 * 3600, "47 hours")]
    [InlineData(3 * 86400, "3 days")]
    [InlineData(15 * 86400, "2 weeks")]
    [InlineData(70 * 86400, "2 months")]
    [InlineData(800 * 86400, "2 years")]
    public void HumanDuration_Seconds_DockersWords(double seconds, string expected) =>
        Assert.Equal(expected, Units.HumanDuration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("sleep 1", "\"sleep 1\"")]
    [InlineData("a\"b\\c\n\u0001é", "\"a\\\"b\\\\c\\n\\x01é\"")]
    public void Quote_Text_AsGo(string text, string expected) => Assert.Equal(expected, GoText.Quote(text));

    [Fact]
    public void Ellipsis_LongText_CutWithMark() => Assert.Equal("abcd…", GoText.Ellipsis("abcdefgh", 5));
}
