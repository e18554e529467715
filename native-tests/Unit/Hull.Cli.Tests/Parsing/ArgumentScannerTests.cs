using System.CommandLine;
using Hull.Cli.Parsing;

namespace Hull.Cli.Tests.Parsing;

public class ArgumentScannerTests
{
    private readonly Option<bool?> _interactive = Flags.Switch("--interactive", "", "-i");
    private readonly Option<bool?> _tty = Flags.Switch("--tty", "", "-t");
    private readonly Option<bool?> _remove = Flags.Switch("--rm", "");
    private readonly Option<string?> _name = Flags.Text("--name", "string", "");
    private readonly Option<string?> _network = Flags.Text("--network", "network", "", alias: "--net");
    private readonly Option<string[]?> _env = Flags.List("--env", "", "-e");
    private readonly Option<string[]?> _publish = Flags.List("--publish", "", "-p");
    private readonly OptionalValueOption _dryRun = new("--dry-run", "plan");

    [Theory]
    [InlineData("--rm busybox true", "busybox true", "rm")]
    [InlineData("-it busybox sh", "busybox sh", "interactive tty")]
    [InlineData("--name web busybox --name x -i", "busybox --name x -i", "name=web")]
    [InlineData("--name=web --rm=false busybox", "busybox", "name=web")]
    [InlineData("--name a --name b x", "x", "name=b")]
    [InlineData("--name= x", "x", "name=")]
    [InlineData("--net host x", "x", "network=host")]
    [InlineData("-e A=1 -eB=2 -e=C --env=D=4 -e -x x", "x", "env=A=1|B=2|C|D=4|-x")]
    [InlineData("-p8080:80 -p 1:1 x", "x", "publish=8080:80|1:1")]
    [InlineData("-itp80 x", "x", "interactive publish=80 tty")]
    [InlineData("-itfalse=x x", null, "unknown shorthand flag: 'f' in -false=x")]
    [InlineData("-t=false -i=true x", "x", "interactive")]
    [InlineData("--rm -- --name", "--name", "rm")]
    [InlineData("- x", "- x", "")]
    [InlineData("@file x", "@file x", "")]
    [InlineData("--env @file x", "x", "env=@file")]
    [InlineData("--dry-run x", "x", "dry-run=plan")]
    [InlineData("--dry-run=spec x", "x", "dry-run=spec")]
    [InlineData("--foo x", null, "unknown flag: --foo")]
    [InlineData("--foo=1 x", null, "unknown flag: --foo")]
    [InlineData("-Q x", null, "unknown shorthand flag: 'Q' in -Q")]
    [InlineData("--name", null, "flag needs an argument: --name")]
    [InlineData("-ite", null, "flag needs an argument: 'e' in -e")]
    [InlineData("--rm=maybe x", null, "invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax")]
    [InlineData("--tty=maybe x", null, "invalid argument \"maybe\" for \"-t, --tty\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax")]
    public void Scan_RunLike_DockersRules(string line, string? arguments, string flags)
    {
        HullCommand command = Create(endsAtArgument: true);
        if (arguments is null)
        {
            Assert.Equal(flags, Assert.Throws<UsageException>(() => Parse(command, line)).Message);
            return;
        }

        ParseResult result = Parse(command, line);
        Assert.Empty(result.Errors);
        Assert.Equal(arguments.Split(' '), command.Positional(result));
        Assert.Equal(flags, Describe(result));
    }

    [Fact]
    public void Scan_Interspersed_FlagsFollowArguments()
    {
        HullCommand command = Create(endsAtArgument: false);
        ParseResult result = Parse(command, "web -i db --name x -- -t");
        Assert.Equal(["web", "db", "-t"], command.Positional(result));
        Assert.Equal("interactive name=x", Describe(result));
    }

    [Theory]
    [InlineData("--help", true)]
    [InlineData("-h", true)]
    [InlineData("-ih", true)]
    [InlineData("x --help", false)]
    public void Scan_Help_OnlyBeforeTheArgument(string line, bool help) =>
        Assert.Equal(help, ArgumentScanner.Scan(Create(endsAtArgument: true), line.Split(' ')).Help);

    [Theory]
    [InlineData(0, 0, 1, "'hull test' accepts no arguments")]
    [InlineData(1, 1, 0, "'hull test' requires 1 argument")]
    [InlineData(2, int.MaxValue, 1, "'hull test' requires at least 2 arguments")]
    [InlineData(0, 1, 2, "'hull test' requires at most 1 argument")]
    public void CheckCount_Wrong_DockersWords(int minimum, int maximum, int count, string message) => Assert.Equal(
        message, Assert.Throws<UsageException>(() => new HullCommand("test", "", "", minimum, maximum).CheckCount(count)).Message);

    private HullCommand Create(bool endsAtArgument)
    {
        HullCommand command = new("test", "", "", 0) { OptionsEndAtArgument = endsAtArgument };
        foreach (Option option in (Option[])[_interactive, _tty, _remove, _name, _network, _env, _publish, _dryRun])
        {
            command.Add(option);
        }

        return command;
    }

    private static ParseResult Parse(HullCommand command, string line) => command.Parse(
        ArgumentScanner.Scan(command, line.Split(' ')).Tokens, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private string Describe(ParseResult result)
    {
        List<string> given = [];
        foreach (Option option in result.CommandResult.Command.Options.OrderBy(o => o.Name, StringComparer.Ordinal))
        {
            string name = option.Name[2..];
            switch (option)
            {
                case Option<bool?> flag when result.IsOn(flag):
                    given.Add(name);
                    break;
                case Option<string[]?> list when result.ListOf(list) is { } values:
                    given.Add($"{name}={string.Join('|', values)}");
                    break;
                case Option<string?> text when result.GetValue(text) is { } value:
                    given.Add($"{name}={value}");
                    break;
            }
        }

        return string.Join(' ', given);
    }
}
