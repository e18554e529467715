namespace Hull.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("--version", 0, "hull version 0.1.0, build ")]
    [InlineData("version --format {{.Client.Version}}", 0, "0.1.0\n")]
    [InlineData("version --format {{.Server.Os}}", 0, "linux\n")]
    [InlineData("--help", 0, "Usage:  hull [OPTIONS] COMMAND\n\nA container engine for Linux\n")]
    [InlineData("", 0, "Usage:  hull [OPTIONS] COMMAND\n")]
    [InlineData("help", 0, "Usage:  hull [OPTIONS] COMMAND\n")]
    [InlineData("help version", 0, "Usage:  hull version [OPTIONS]\n\nShow the hull version information\n\nOptions:\n  -f, --format string   ")]
    [InlineData("container", 0, "Usage:  hull container COMMAND\n")]
    [InlineData("completion bash", 0, "_hull() {")]
    public void Run_Answered_OnStandardOutput(string line, int code, string start)
    {
        (int actual, string output, string error) = Run(line);
        Assert.Equal((code, ""), (actual, error));
        Assert.StartsWith(start, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("versoin", 1, "hull: unknown command: hull versoin (did you mean version?)\nRun 'hull --help' for more information\n")]
    [InlineData("container frob", 1, "hull: unknown command: hull container frob\nRun 'hull --help' for more information\n")]
    [InlineData("--foo version", 125, "hull: unknown flag: --foo\nRun 'hull --help' for more information\n")]
    [InlineData("version --foo", 125, "hull: unknown flag: --foo\nRun 'hull version --help' for more information\n")]
    [InlineData("version x", 1, "hull: 'hull version' accepts no arguments\nRun 'hull version --help' for more information\n")]
    [InlineData("-l loud version", 1, "hull: Unable to parse logging level: loud\nRun 'hull --help' for more information\n")]
    [InlineData("version --format {{.Nope}}", 1, "hull: template: :1: executing \"\" at <.Nope>: map has no entry for key \"Nope\"\n")]
    [InlineData("version --format {{.Nope", 1, "hull: template parsing error: template: :1: unclosed action\n")]
    [InlineData("completion tcsh", 1, "hull: no completion for 'tcsh': bash, zsh and fish have one\n")]
    public void Run_Wrong_OnStandardError(string line, int code, string error) =>
        Assert.Equal((code, "", error), Run(line));

    [Fact]
    public void Run_Host_SaysThatItIsReserved()
    {
        (int code, _, string error) = Run("-H unix:///x ps");
        Assert.Equal(1, code);
        Assert.Contains("-H, --host is reserved", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Debug_ShowsDetails() => Assert.Contains("debug: UsageException", Run("-D version x").Error, StringComparison.Ordinal);

    private static (int Code, string Output, string Error) Run(string line)
    {
        StringWriter output = new() { NewLine = "\n" };
        StringWriter error = new() { NewLine = "\n" };
        int code = CommandLine.Run(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            new CliContext { Output = output, Error = error, Environment = _ => null });
        return (code, output.ToString(), error.ToString());
    }
}
