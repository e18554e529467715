namespace Hull.Linux.Tests;

public class KernelRandomTests
{
    [Fact]
    public void Fill_TwoBuffers_Differ()
    {
        byte[] first = new byte[32];
        byte[] second = new byte[32];
        KernelRandom.Fill(first);
        KernelRandom.Fill(second);
        Assert.NotEqual(first, second);
        Assert.Contains(first, value => value != 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(10_000)]
    public void Below_Bound_StaysUnderIt(int bound)
    {
        for (int i = 0; i < 200; i++)
        {
            Assert.InRange(KernelRandom.Below(bound), 0, bound - 1);
        }
    }
}
