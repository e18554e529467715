namespace Hull.Linux.Tests;

public sealed class CapabilitySetTests
{
    [Fact]
    public void Names_EveryBit_RoundTrips()
    {
        IReadOnlyList<string> names = CapabilitySet.AllNamed.Names();

        Assert.Equal(41, names.Count);
        Assert.Equal("CAP_CHOWN", names[0]);
        Assert.Equal("CAP_SYS_ADMIN", names[21]);
        Assert.Equal("CAP_CHECKPOINT_RESTORE", names[40]);
        Assert.Equal(CapabilitySet.AllNamed, CapabilitySet.Of(names));
    }

    [Theory]
    [InlineData("CAP_SYS_ADMIN", 21)]
    [InlineData("sys_admin", 21)]
    [InlineData("cap_Bpf", 39)]
    public void TryNumber_AnySpelling_FindsIt(string name, int number)
    {
        Assert.True(CapabilitySet.TryNumber(name, out int found));
        Assert.Equal(number, found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("CAP_")]
    [InlineData("CAP_CAP_KILL")]
    [InlineData("ALL")]
    public void TryNumber_NoName_IsFalse(string name) => Assert.False(CapabilitySet.TryNumber(name, out _));

    [Fact]
    public void FromStatus_Lines_AreReadAsHexadecimal()
    {
        const string Status = "Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\nCapAmb:\t0\n";

        Assert.Equal(0xa80425fbUL, CapabilitySet.FromStatus(Status, "CapEff:").Bits);
        Assert.Equal(CapabilitySet.AllNamed, CapabilitySet.FromStatus(Status, "CapBnd:"));
        Assert.Throws<InvalidDataException>(() => CapabilitySet.FromStatus(Status, "CapXxx:"));
    }

    [Fact]
    public void Host_RunningKernel_AnswersConsistently()
    {
        Assert.InRange(CapabilitySet.LastOfKernel(), 37, 63);
        Assert.Equal(0UL, CapabilitySet.HostBounding().Bits >> (CapabilitySet.LastOfKernel() + 1));
        Assert.Equal(CapabilitySet.HostEffective(), CapabilitySet.HostEffective() & CapabilitySet.HostBounding());
    }
}
