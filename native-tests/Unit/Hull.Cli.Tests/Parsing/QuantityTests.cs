using Hull.Cli.Parsing;

namespace Hull.Cli.Tests.Parsing;

public class QuantityTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("512", 512)]
    [InlineData("512b", 512)]
    [InlineData("64m", 64L << 20)]
    [InlineData("64MB", 64L << 20)]
    [InlineData("64 MiB", 64L << 20)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData("2t", 2L << 40)]
    public void ParseBytes_Size_PowersOf1024(string text, long expected) => Assert.Equal(expected, Quantity.ParseBytes(text));

    [Theory]
    [InlineData("", "invalid size: ''")]
    [InlineData("m", "invalid size: 'm'")]
    [InlineData("12q", "invalid suffix: 'q'")]
    [InlineData("12mm", "invalid suffix: 'mm'")]
    [InlineData("-1", "invalid size: '-1'")]
    [InlineData("99999999999g", "invalid size: '99999999999g'")]
    public void ParseBytes_NoSize_SaysWhy(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => Quantity.ParseBytes(text)).Message);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("300ms", 0.3)]
    [InlineData("1h2m3.5s", 3723.5)]
    [InlineData("-5m", -300)]
    [InlineData("10us", 0.00001)]
    public void TryParseDuration_Go_Seconds(string text, double seconds)
    {
        Assert.True(Quantity.TryParseDuration(text, out TimeSpan duration));
        Assert.Equal(seconds, duration.TotalSeconds, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("5x")]
    [InlineData("m5")]
    public void TryParseDuration_Wrong_False(string text) => Assert.False(Quantity.TryParseDuration(text, out _));

    [Theory]
    [InlineData("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z")]
    [InlineData("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.1234567Z")]
    [InlineData("1704164645.5", "2024-01-02T03:04:05.5Z")]
    [InlineData("10m", "2024-06-01T11:50:00Z")]
    public void TryParseInstant_Forms_Instant(string text, string expected)
    {
        Assert.True(Quantity.TryParseInstant(text, DateTimeOffset.Parse("2024-06-01T12:00:00Z", null), out DateTimeOffset? instant));
        Assert.Equal(DateTimeOffset.Parse(expected, null), instant);
    }

    [Fact]
    public void TryParseInstant_Nonsense_False() => Assert.False(Quantity.TryParseInstant("soon", DateTimeOffset.UtcNow, out _));
}
