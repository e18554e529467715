using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Terminal;

/// <summary>A terminal in raw mode until it is disposed, and out of it while the process is suspended.</summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly SafeFileHandle _terminal;
    private TerminalSettings? _before;

    private RawTerminal(SafeFileHandle terminal)
    {
        _terminal = terminal;
        _before = Terminals.MakeRaw(terminal);
    }

    /// <summary>Every byte goes to the program as typed: no echo, no lines, no signals by keys.</summary>
    public static RawTerminal Enter(SafeFileHandle terminal) => new(terminal);

    /// <summary>Back to what the user had.</summary>
    public void Leave()
    {
        if (_before is { } settings)
        {
            _before = null;
            Terminals.Restore(_terminal, settings);
        }
    }

    public void Reenter() => _before ??= Terminals.MakeRaw(_terminal);

    public void Dispose() => Leave();
}
