using System.CommandLine;

namespace Hull.Cli.Parsing;

/// <summary>A command with what docker's rules of parsing and docker's help need beside System.CommandLine's own facts.</summary>
internal sealed class HullCommand : Command
{
    private readonly Argument<string[]> _arguments = new("arguments") { Arity = ArgumentArity.ZeroOrMore };

    /// <param name="path">The words after <c>hull</c> that call it: <c>run</c>, <c>container run</c>; empty for hull itself.</param>
    /// <param name="usage">What follows them, in docker's notation: <c>[OPTIONS] CONTAINER [CONTAINER...]</c>.</param>
    /// <param name="minimum">The least count of arguments.</param>
    /// <param name="maximum">The greatest count of arguments.</param>
    public HullCommand(string path, string usage, string description, int minimum, int maximum = int.MaxValue)
        : base(path[(path.LastIndexOf(' ') + 1)..] is { Length: > 0 } name ? name : "hull", description)
    {
        Path = path;
        Usage = usage;
        Minimum = minimum;
        Maximum = maximum;
        Add(_arguments);
    }

    public string Path { get; }

    /// <summary>The command as a user calls it: <c>hull container run</c>.</summary>
    public string FullPath => Path.Length == 0 ? "hull" : "hull " + Path;

    public string Usage { get; }

    public int Minimum { get; }

    public int Maximum { get; }

    /// <summary>All spellings, for the help; empty where there is one only.</summary>
    public string AliasLine { get; init; } = "";

    /// <summary>Whether everything from the first argument on belongs to the payload: <c>run</c>, <c>create</c>, <c>exec</c>, <c>top</c>.</summary>
    public bool OptionsEndAtArgument { get; init; }

    /// <summary>The exit code of a failure that is the engine's: 125 for those whose exit code is else the payload's.</summary>
    public int FailureExitCode { get; init; } = 1;

    /// <summary>Whether a program that cannot be executed (126) or found (127) gives the exit code: <c>run</c>, <c>exec</c>.</summary>
    public bool ReportsPayload { get; init; }

    /// <summary>What completes the arguments; null for file names.</summary>
    public ArgumentCompletion Completion
    {
        init
        {
            if (value != ArgumentCompletion.None)
            {
                _arguments.CompletionSources.Add(_ => Completions.Of(value));
            }
        }
    }

    /// <summary>The arguments of a parsed call.</summary>
    public string[] Positional(ParseResult result) => result.GetValue(_arguments) ?? [];

    /// <exception cref="UsageException">Too few or too many, in docker's words. Its exit code is 1 everywhere.</exception>
    public void CheckCount(int count)
    {
        if (count >= Minimum && count <= Maximum)
        {
            return;
        }

        string plural(int n) => n == 1 ? $"{n} argument" : $"{n} arguments";
        string wants = Maximum == 0 ? "accepts no arguments"
            : Minimum == Maximum ? $"requires {plural(Minimum)}"
            : count < Minimum ? $"requires at least {plural(Minimum)}"
            : $"requires at most {plural(Maximum)}";
        throw new UsageException($"'{FullPath}' {wants}") { ExitCode = 1 };
    }
}
