using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Images.Registry;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Commands.Images;

/// <summary>How the course of a pull or push is shown, <c>--progress</c>.</summary>
internal enum ProgressMode
{
    /// <summary>Bars on a terminal, lines elsewhere.</summary>
    Auto,

    Plain,

    Terminal,

    /// <summary>One object a line, for programs: see <see cref="JsonTransferProgress"/>.</summary>
    Json,
}

/// <summary>Where the course of a transfer is shown, and how.</summary>
/// <param name="Shown">Null where nothing is shown: <c>--quiet</c>.</param>
internal sealed record TransferOutput(TextWriter? Shown, SafeFileHandle? Stream, ProgressMode Mode)
{
    public static TransferOutput Quiet { get; } = new(null, null, ProgressMode.Plain);

    public bool IsQuiet => Shown is null;

    /// <summary>On standard output: <c>hull pull</c> and <c>hull push</c>.</summary>
    public static TransferOutput OfCommand(CliContext context, bool quiet, ProgressMode mode) =>
        quiet ? Quiet : new TransferOutput(context.Output, context.StandardOutput, mode);

    /// <summary>Beside the data: <c>hull run</c> of an image that is not there.</summary>
    public static TransferOutput BesideData(CliContext context, bool quiet) =>
        quiet ? Quiet : new TransferOutput(context.Error, context.StandardError, ProgressMode.Auto);

    public static Option<string?> ProgressOption() =>
        Flags.Text("--progress", "string", "Set type of progress output (\"auto\", \"plain\", \"tty\", \"json\")");

    /// <exception cref="UsageException">None of the words.</exception>
    public static ProgressMode ModeOf(ParseResult result, Option<string?> option) => result.TextOf(option) switch
    {
        null or "auto" => ProgressMode.Auto,
        "plain" => ProgressMode.Plain,
        "tty" => ProgressMode.Terminal,
        "json" => ProgressMode.Json,
        string other => throw UsageException.InvalidArgument(other, option.Name, "expected auto, plain, tty or json"),
    };

    public ITransferProgress Progress() => (Shown, Stream) is not ({ } writer, { } stream)
        ? new SilentTransferProgress()
        : Mode switch
        {
            ProgressMode.Json => new JsonTransferProgress(writer),
            ProgressMode.Terminal => Bars(writer, stream),
            ProgressMode.Auto when Terminals.IsTerminal(stream) => Bars(writer, stream),
            _ => new PlainTransferProgress(writer),
        };

    private static TerminalTransferProgress Bars(TextWriter writer, SafeFileHandle stream) =>
        new(writer, () => Terminals.TryGetSize(stream)?.Columns ?? 80);
}
