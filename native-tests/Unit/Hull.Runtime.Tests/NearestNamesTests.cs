namespace Hull.Runtime.Tests;

public class NearestNamesTests
{
    [Theory]
    [InlineData("stpo", "stop")]
    [InlineData("imagse", "images")]
    [InlineData("xyzzy", "")]
    [InlineData("res", "restart")]
    [InlineData("sto", "stop")]
    public void Of_Typo_TheNearest(string typed, string expected) =>
        Assert.Equal(expected, string.Join(' ', NearestNames.Of(typed, ["stop", "start", "restart", "images", "run"])));

    [Fact]
    public void Of_ManyAsNear_ThreeInTheirOrder() => Assert.Equal(["web-1", "web-2", "web-3"], NearestNames.Of("web-", ["web-4", "web-3", "web-2", "web-1"]));

    [Theory]
    [InlineData("CAP_SYS_ADMN", "CAP_SYS_ADMIN")]
    [InlineData("xyzzy", "CAP_KILL")]
    public void First_Anything_TheFewestMistakesAway(string typed, string expected) =>
        Assert.Equal(expected, NearestNames.First(typed, ["CAP_KILL", "CAP_SYS_ADMIN"]));
}
