namespace Hull.Engine.Tests;

public sealed class ProcessTableTests
{
    [Fact]
    public void Read_OwnProcessAndOneThatIsNot_HasARowOfItsOwn()
    {
        // The highest pid that Linux gives is 4194304 (PID_MAX_LIMIT).
        ProcessList list = ProcessTable.Read([5_000_000, Environment.ProcessId], ["-o", "pid,comm,args"]);

        Assert.Equal(["PID", "COMMAND", "COMMAND"], list.Titles);
        Assert.Equal($"{Environment.ProcessId}", Assert.Single(list.Processes)[0]);
    }

    [Theory]
    [InlineData("-o", "user", "Couldn't find PID field")]
    [InlineData("-o", "pid,nope", "unknown column 'nope'")]
    [InlineData("-Z", "", "not supported")]
    public void Read_WrongArguments_SayWhy(string first, string second, string words) =>
        Assert.Contains(words,
            Assert.Throws<EngineException>(() => ProcessTable.Read([], second.Length > 0 ? [first, second] : [first])).Message, StringComparison.Ordinal);
}
