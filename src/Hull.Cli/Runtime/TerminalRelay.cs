using Hull.Cli.Terminal;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary>Bytes between our standard streams and the terminal of a payload in the foreground. Where standard input is a
/// terminal it is in raw mode until this is disposed.</summary>
/// <remarks>Belongs to one thread. Input is read only when the terminal has taken all of the last, so that neither side waits for
/// the other: a payload that does not read may still write.</remarks>
internal sealed class TerminalRelay : IDisposable
{
    private readonly SafeFileHandle _master;
    private readonly SafeFileHandle _input = new(0, ownsHandle: false);
    private readonly SafeFileHandle _output = new(1, ownsHandle: false);
    private readonly RawTerminal? _raw;
    private readonly byte[] _typed = new byte[4096];
    private readonly byte[] _shown = new byte[16384];
    private int _first;
    private int _pending;
    private bool _inputEnded;
    private bool _outputEnded;

    /// <param name="master">Of the payload's pseudo terminal; stays the caller's.</param>
    public TerminalRelay(SafeFileHandle master)
    {
        _master = master;
        Descriptors.SetNonBlocking(master);
        FollowSize();
        _raw = Terminals.IsTerminal(_input) ? RawTerminal.Enter(_input) : null;
    }

    /// <summary>What to poll for: our input, then the payload's terminal.</summary>
    public (PollEntry Input, PollEntry Terminal) Wanted => (
        new PollEntry(_inputEnded || _pending > 0 ? null : _input, PollEvents.Readable),
        new PollEntry(_outputEnded ? null : _master, _pending > 0 ? PollEvents.Readable | PollEvents.Writable : PollEvents.Readable));

    /// <summary>Moves what can be moved without waiting.</summary>
    public void Move(PollEvents input, PollEvents terminal)
    {
        if (input != PollEvents.None && _pending == 0)
        {
            _first = 0;
            _pending = Math.Max(0, Descriptors.TryRead(_input, _typed, out Errno errno));
            _inputEnded = _pending == 0 && errno is not (Errno.EAGAIN or Errno.EINTR);
        }

        if (_pending > 0)
        {
            int written = Descriptors.TryWrite(_master, _typed.AsSpan(_first, _pending), out Errno errno);
            _first += Math.Max(0, written);
            // EIO: nobody has the payload's side open any more; what was typed has no reader.
            _pending = written < 0 && errno != Errno.EAGAIN ? 0 : _pending - Math.Max(0, written);
        }

        if ((terminal & (PollEvents.Readable | PollEvents.HangUp)) != PollEvents.None)
        {
            Show();
        }
    }

    /// <summary>Everything that the payload has written by now.</summary>
    public void Drain()
    {
        while (Show())
        {
        }
    }

    /// <summary>Our terminal's size becomes the payload's.</summary>
    public void FollowSize()
    {
        if (Terminals.TryGetSize(_input) is { } size)
        {
            Terminals.SetSize(_master, size);
        }
    }

    public void Dispose()
    {
        _raw?.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    /// <returns>Whether there was something.</returns>
    private bool Show()
    {
        int length = Descriptors.TryRead(_master, _shown, out Errno errno);
        if (length <= 0)
        {
            // EIO: the last process that had it open has closed it. A poll would come back at once for ever.
            _outputEnded = errno == Errno.EIO;
            return false;
        }

        Files.Write(_output, _shown.AsSpan(0, length), "standard output");
        return true;
    }
}
