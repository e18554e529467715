namespace Hull.Cli.Parsing;

/// <summary>A call that is right by itself and cannot be served here and now. Docker's client gives these exit code 1, also
/// where other failures of the command have 125.</summary>
internal sealed class RefusedException : Exception
{
    public RefusedException(string message)
        : base(message)
    {
    }
}
