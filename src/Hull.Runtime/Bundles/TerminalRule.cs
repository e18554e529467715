namespace Hull.Runtime.Bundles;

/// <summary>Who holds the master of a payload's terminal: the caller while it waits, or whoever listens at --console-socket.</summary>
public static class TerminalRule
{
    /// <exception cref="ContainerException">Nobody would, or two would.</exception>
    public static void Check(bool terminal, bool consoleSocket, bool detach)
    {
        string? wrong = (terminal, consoleSocket, detach) switch
        {
            (true, false, true) => "the process wants a terminal and nobody stays to hold it: give --console-socket, or set process.terminal to false",
            (false, true, _) => "--console-socket is given, but the process wants no terminal: set process.terminal to true",
            (true, true, false) => "--console-socket is for create and --detach: in the foreground the terminal is ours",
            _ => null,
        };
        if (wrong is not null)
        {
            throw new ContainerException(ContainerFault.Engine, wrong);
        }
    }
}
