namespace Hull.Cli.Parsing;

/// <summary>The command line itself is wrong. The report adds the line that points to the command's help.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message)
        : base(message)
    {
    }

    /// <summary>125 for a flag, as docker's client has it for every command; 1 for a wrong count of arguments and an
    /// unknown command.</summary>
    public int ExitCode { get; init; } = 125;

    /// <summary>The refusal of one flag's value, in docker's words.</summary>
    public static UsageException InvalidArgument(string value, string flag, string reason) =>
        new($"invalid argument {Output.GoText.Quote(value)} for {Output.GoText.Quote(flag)} flag: {reason}");
}
