namespace Hull.Runtime.Tests;

public sealed class DefaultAppArmorProfileTests
{
    [Fact]
    public void Text_CompilerOfTheHost_TakesIt()
    {
        const string Compiler = "/usr/sbin/apparmor_parser";
        Assert.SkipUnless(File.Exists(Compiler), "apparmor_parser is not installed");

        Assert.True(DefaultAppArmorProfile.Compile(Compiler, ["-K", "-Q"]));
        Assert.False(DefaultAppArmorProfile.Compile(Compiler, ["-K", "-Q", "--no-such-flag"]));
    }

    [Fact]
    public void Text_IsTheProfileOfItsName() =>
        Assert.Contains($"profile {DefaultAppArmorProfile.Name} ", DefaultAppArmorProfile.Text, StringComparison.Ordinal);
}
