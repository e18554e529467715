using Hull.Cli.Commands;

namespace Hull.Cli.Tests.Commands;

public class HousekeepingFlagTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Dictionary<string, string> Labels = new() { ["kind"] = "old", ["empty"] = "" };

    [Theory]
    [InlineData("until=1h", true)]
    [InlineData("until=72h", false)]
    [InlineData("until=2026-05-31", true)]
    [InlineData("label=kind", true)]
    [InlineData("label=kind=old", true)]
    [InlineData("label=kind=new", false)]
    [InlineData("label!=kind", false)]
    [InlineData("label!=kind=new", true)]
    [InlineData("label!=other", true)]
    public void PruneFilter_One_Matches(string filter, bool matches) =>
        Assert.Equal(matches, PruneFilter.Parse([filter], Now, "until", "label", "label!").Matches(Now.AddDays(-2), Labels, Now));

    [Fact]
    public void PruneFilter_Several_MustAllHold()
    {
        PruneFilter filter = PruneFilter.Parse(["label=kind", "label!=kind=old"], Now, "label", "label!");

        Assert.False(filter.Matches(Now, Labels, Now));
        Assert.True(filter.Matches(Now, new Dictionary<string, string> { ["kind"] = "new" }, Now));
    }

    [Theory]
    [InlineData("until", "bad format of filter")]
    [InlineData("=x", "bad format of filter")]
    [InlineData("name=x", "invalid filter 'name' (use until, label)")]
    [InlineData("until=soon", "'soon' is no time")]
    public void PruneFilter_Wrong_SaysWhy(string filter, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => PruneFilter.Parse([filter], Now, "until", "label")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("80%", 0.8)]
    [InlineData("100", 1.0)]
    public void GarbageThreshold_Percent_IsAShare(string text, double share) => Assert.Equal(share, GarbageCommand.Percent(text));

    [Theory]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("-5")]
    [InlineData("half")]
    public void GarbageThreshold_Wrong_IsRefused(string text) => Assert.Throws<FormatException>(() => GarbageCommand.Percent(text));

    [Fact]
    public void GarbageAge_Durations_AreGos()
    {
        Assert.Equal(TimeSpan.FromDays(7), GarbageCommand.Age("168h"));
        Assert.Throws<FormatException>(() => GarbageCommand.Age("-1h"));
        Assert.Throws<FormatException>(() => GarbageCommand.Age("a week"));
    }
}
