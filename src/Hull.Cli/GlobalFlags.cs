using System.CommandLine;
using Hull.Cli.Commands;
using Hull.Cli.Help;
using Hull.Cli.Parsing;
using Hull.Engine;

namespace Hull.Cli;

/// <summary>The flags before the verb.</summary>
internal sealed class GlobalFlags
{
    private readonly Option<string?> _dataRoot = Flags.Text("--data-root", "string", $"Directory of images and containers (default \"{HullPaths.DefaultDataRoot}\", or HULL_DATA_ROOT)");
    private readonly Option<string?> _execRoot = Flags.Text("--exec-root", "string", $"Directory of state until reboot (default \"{HullPaths.DefaultExecRoot}\", or HULL_EXEC_ROOT)");
    private readonly Option<bool?> _debug = Flags.Switch("--debug", "Enable debug mode", "-D");
    private readonly Option<string[]?> _host = Flags.List("--host", "Daemon socket to connect to (reserved)", "-H");
    private readonly Option<string?> _logLevel = Flags.Text("--log-level", "string", "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\") (default \"info\")", "-l");
    private readonly Option<bool?> _version = Flags.Switch("--version", "Print version information and quit", "-v");

    private GlobalFlags() => Command = new HullCommand("", "[OPTIONS] COMMAND", "A container engine for Linux", 0)
    {
        OptionsEndAtArgument = true,
    };

    public HullCommand Command { get; }

    /// <summary>hull itself as a command, for its help.</summary>
    public static GlobalFlags Create()
    {
        GlobalFlags flags = new();
        flags.Command.Add(flags._dataRoot);
        flags.Command.Add(flags._debug);
        flags.Command.Add(flags._execRoot);
        flags.Command.Add(flags._host);
        flags.Command.Add(flags._logLevel);
        flags.Command.Add(flags._version);
        return flags;
    }

    /// <summary>Takes the flags off the front. Returns an exit code where nothing is left to do.</summary>
    public static int? Apply(ref ReadOnlySpan<string> arguments, CliContext context)
    {
        GlobalFlags flags = Create();
        ScannedArguments scanned = ArgumentScanner.Scan(flags.Command, arguments);
        ParseResult result = flags.Command.Parse(scanned.Tokens, new ParserConfiguration { ResponseFileTokenReplacer = null });
        context.DataRoot = result.TextOf(flags._dataRoot);
        context.ExecRoot = result.TextOf(flags._execRoot);
        context.Debug |= result.IsOn(flags._debug);
        if (result.TextOf(flags._logLevel) is { } level)
        {
            context.SetLogLevel(level);
        }

        EngineException.ThrowUnsupportedIf(
            result.IsGiven(flags._host),
            "-H, --host is reserved: hull works on its store directly and connects to no daemon. Leave the flag out, or choose a store with --data-root");

        if (scanned.Help || (scanned.Positional.Count == 0 && !result.IsOn(flags._version)))
        {
            CommandHelp.WriteTop(context.Output);
            return 0;
        }

        if (result.IsOn(flags._version))
        {
            context.Output.WriteLine(VersionCommand.OneLine());
            return 0;
        }

        arguments = arguments[^scanned.Positional.Count..];
        return null;
    }
}
