using Hull.Cli.Help;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Linux;

namespace Hull.Cli.Tests;

public class CommandTableTests
{
    public static TheoryData<string, string> Verbs()
    {
        TheoryData<string, string> verbs = [];
        foreach (string verb in CommandTable.CommonVerbs.Concat(CommandTable.OtherVerbs))
        {
            verbs.Add("", verb);
        }

        foreach ((string group, IReadOnlyList<string> words) in new[]
        {
            ("container", CommandTable.ContainerVerbs), ("image", CommandTable.ImageVerbs), ("manifest", CommandTable.ManifestVerbs),
            ("network", CommandTable.NetworkVerbs), ("system", CommandTable.SystemVerbs), ("volume", CommandTable.VolumeVerbs),
        })
        {
            foreach (string verb in words)
            {
                verbs.Add(group, verb);
            }
        }

        return verbs;
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Create_EveryListedVerb_HasHelpAndDistinctFlags(string group, string verb)
    {
        StringWriter output = new() { NewLine = "\n" };
        HullCommand command = CommandTable.Create(group, verb, new CliContext { Output = output, Error = output })!;
        CommandHelp.Write(command, output);
        Assert.StartsWith($"Usage:  hull {(group.Length > 0 ? group + " " : "")}{verb}", output.ToString(), StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(command.Description));
        List<string> names = [.. command.Options.SelectMany(option => option.Aliases.Append(option.Name))];
        Assert.Equal(names.Distinct(), names);
        Assert.All(command.Options, option => Assert.StartsWith("-", option.Name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("container", "ls", "ps")]
    [InlineData("container", "rm", "rm")]
    [InlineData("image", "ls", "images")]
    [InlineData("image", "rm", "rmi")]
    public void Create_ManagementSpelling_HasTheSameFlags(string group, string verb, string plain)
    {
        CliContext context = new() { Output = TextWriter.Null, Error = TextWriter.Null };
        Assert.Equal(
            CommandTable.Create("", plain, context)!.Options.Select(option => option.Name),
            CommandTable.Create(group, verb, context)!.Options.Select(option => option.Name));
    }

    [Theory]
    [InlineData("hull sto", 8, "stop")]
    [InlineData("hull run --memory-sw", 20, "--memory-swap")]
    [InlineData("hull image im", 13, "import")]
    public void Suggest_Line_Completes(string line, int position, string expected)
    {
        StringWriter output = new() { NewLine = "\n" };
        Assert.Equal(0, Completions.Suggest([$"[suggest:{position}]", line], new CliContext { Output = output, Error = output }));
        Assert.Contains(expected, output.ToString().Split('\n'));
    }

    [Theory]
    [InlineData(EngineErrorKind.NotFound, true, 125)]
    [InlineData(EngineErrorKind.CannotExecute, true, 126)]
    [InlineData(EngineErrorKind.CommandNotFound, true, 127)]
    [InlineData(EngineErrorKind.NotFound, false, 1)]
    [InlineData(EngineErrorKind.CommandNotFound, false, 1)]
    public void ErrorReport_EngineFailure_DockersExitCode(EngineErrorKind kind, bool run, int code)
    {
        StringWriter error = new() { NewLine = "\n" };
        CliContext context = new() { Output = TextWriter.Null, Error = error };
        HullCommand command = CommandTable.Create("", run ? "run" : "start", context)!;
        Assert.Equal(code, ErrorReport.Write(new EngineException(kind, "what failed"), command, context));
        Assert.Equal("hull: what failed\n", error.ToString());
    }

    [Fact]
    public void ErrorReport_Unforeseen_IsOneLineWithoutStackTrace()
    {
        StringWriter error = new() { NewLine = "\n" };
        ErrorReport.Write(new InvalidOperationException("oops"), null, new CliContext { Output = error, Error = error });
        Assert.Equal("hull: internal error: InvalidOperationException: oops (run with --debug for details)\n", error.ToString());
    }

    [Fact]
    public void ErrorReport_ReaderGone_IsSilent()
    {
        StringWriter error = new();
        CliContext context = new() { Output = error, Error = error };
        Assert.Equal(141, ErrorReport.Write(new SyscallException("write", "standard output", Errno.EPIPE), null, context));
        Assert.Equal("", error.ToString());
    }

    [Fact]
    public void ErrorReport_DiskFull_SaysWhatToDo()
    {
        StringWriter error = new();
        ErrorReport.Write(new SyscallException("write", "/var/lib/hull/x", Errno.ENOSPC), null, new CliContext { Output = error, Error = error });
        Assert.Contains("the disk is full: free some space", error.ToString(), StringComparison.Ordinal);
    }
}
