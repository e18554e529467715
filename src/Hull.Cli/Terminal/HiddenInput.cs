using System.Runtime.InteropServices;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Terminal;

/// <summary>A terminal that does not show what is typed, until it is disposed, or the user gives up with Ctrl-C.</summary>
internal sealed class HiddenInput : IDisposable
{
    private readonly SafeFileHandle _terminal;
    private readonly TerminalSettings _before;
    private readonly PosixSignalRegistration _interrupted;

    private HiddenInput(SafeFileHandle terminal)
    {
        _terminal = terminal;
        _before = Terminals.HideInput(terminal);

        // The signal then ends the program, as it would have; the shell gets its echo back.
        _interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Terminals.Restore(terminal, _before));
    }

    public static HiddenInput Enter(SafeFileHandle terminal) => new(terminal);

    public void Dispose()
    {
        _interrupted.Dispose();
        Terminals.Restore(_terminal, _before);
    }
}
