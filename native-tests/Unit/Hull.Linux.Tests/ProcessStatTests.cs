using System.Text;

namespace Hull.Linux.Tests;

public sealed class ProcessStatTests
{
    [Theory]
    [InlineData("cat")]
    [InlineData("a) S 9 (b")]
    [InlineData("")]
    public void Parse_NameWithAnything_FieldsCountFromBehindIt(string name)
    {
        string fields = string.Join(' ', Enumerable.Range(4, 49));

        ProcessStat stat = ProcessStat.Parse(Encoding.UTF8.GetBytes($"7 ({name}) Z {fields}\n"));

        Assert.Equal((name, 'Z', true), (stat.Name, stat.State, stat.IsDead));
        Assert.Equal(Enumerable.Range(4, 49).Select(field => (ulong)field), Enumerable.Range(4, 49).Select(field => stat[field]));
        Assert.Equal((4, 7L, 29L, 22UL, 23L, 24L), (stat.ParentId, stat.Terminal, stat.ProcessorTicks, stat.StartTicks, stat.VirtualBytes, stat.ResidentPages));
    }

    [Fact]
    public void Parse_NegativeAndLargestNumbers_AreKept()
    {
        ProcessStat stat = ProcessStat.Parse("1 (x) S 0 1 1 0 -1 4194560 18446744073709551615\n"u8);

        Assert.Equal((-1L, 4194560UL, ulong.MaxValue, 0UL), ((long)stat[8], stat[9], stat[10], stat[11]));
    }

    [Fact]
    public void TryRead_ThisProcessAndNone()
    {
        Assert.Equal(ProcessStat.ReadOwn().StartTicks, ProcessStat.TryRead(Environment.ProcessId)?.StartTicks);
        Assert.True(ProcessStat.ReadOwn().StartTicks > 0);
        Assert.Null(ProcessStat.TryRead(int.MaxValue));
    }
}
