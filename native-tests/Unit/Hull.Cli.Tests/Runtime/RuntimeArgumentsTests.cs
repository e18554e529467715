using Hull.Cli.Runtime;
using Hull.Runtime;

namespace Hull.Cli.Tests.Runtime;

public sealed class RuntimeArgumentsTests
{
    [Fact]
    public void Parse_WhatContainerdCalls_EachWordInItsPlace()
    {
        RuntimeArguments parsed = Parse("--root /r --log /l --log-format json create --bundle /b --pid-file=/p --no-new-keyring web");

        Assert.Equal(("create", "web", "/r", "/b", "/p"), (parsed.Verb, parsed.Id, parsed.Option("--root"), parsed.Option("--bundle"), parsed.Option("--pid-file")));
        Assert.True(parsed.Has("--no-new-keyring"));
        Assert.False(parsed.Has("--no-pivot"));
    }

    [Fact]
    public void Parse_OneLetter_MeansWhatItsVerbSays()
    {
        Assert.True(Parse("delete -f web").Has("--force"));
        Assert.Equal("json", Parse("ps -f json web").Option("--format"));
    }

    [Fact]
    public void Parse_AfterTheId_WordsAreThePayloads()
    {
        Assert.Equal(["web", "ls", "--all", "-l"], Parse("exec -t web ls --all -l").Positionals);
        Assert.Equal(["web", "-o", "pid"], Parse("ps web -o pid").Positionals);
        Assert.Equal(["-web"], Parse("state -- -web").Positionals);
    }

    [Fact]
    public void Parse_FlagWithAValue_IsSetOrNot()
    {
        Assert.False(Parse("exec --no-new-privs=false web sh").Has("--no-new-privs"));
        Assert.Equal("false", Parse("exec --no-new-privs=false web sh").Option("--no-new-privs"));
        Assert.Contains("true or false", Fails("exec --tty=maybe web sh"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kill --force web", "unknown option --force of 'hull runtime kill' (did you mean --all?)")]
    [InlineData("delete --all web", "unknown option --all of 'hull runtime delete' (did you mean --force?)")]
    [InlineData("start -d web", "unknown option -d of 'hull runtime start' (it takes no options)")]
    [InlineData("run --detatch web", "unknown option --detatch of 'hull runtime run' (did you mean --detach?)")]
    [InlineData("state --log x web", "unknown option --log of 'hull runtime state'")]
    [InlineData("run --root /r web", "unknown option --root of 'hull runtime run' (it stands before the command)")]
    [InlineData("--bundel x run web", "unknown option --bundel of 'hull runtime'")]
    [InlineData("strat web", "unknown command 'strat' (did you mean start?")]
    [InlineData("checkpoint --bundle b web", "unknown option --bundle of 'hull runtime checkpoint'")]
    [InlineData("state", "state: the container's id is missing")]
    [InlineData("state a b", "state: 'b' is one word too many")]
    [InlineData("kill web TERM more", "kill: 'more' is one word too many")]
    [InlineData("list x", "list: 'x' is one word too many")]
    [InlineData("run web --bundle", "option --bundle of 'hull runtime run' needs a value")]
    public void Parse_Wrong_IsNamedWithItsVerb(string line, string message) => Assert.Contains(message, Fails(line), StringComparison.Ordinal);

    [Fact]
    public void Verbs_EveryOptionHasOneSpelling_AndHelpNamesEveryVerb()
    {
        foreach (RuntimeVerb verb in RuntimeVerb.All)
        {
            List<string> spellings = [.. verb.Options.SelectMany(option => new[] { option.Name, option.Letter }).OfType<string>()];
            Assert.Equal(spellings.Distinct(), spellings);
            Assert.True(verb.Name == "help" || RuntimeHelp.Text.Contains(verb.Name, StringComparison.Ordinal), verb.Name);
        }
    }

    private static RuntimeArguments Parse(string line) => RuntimeArguments.Parse(line.Split(' '));

    private static string Fails(string line) => Assert.Throws<ContainerException>(() => Parse(line)).Message;
}
