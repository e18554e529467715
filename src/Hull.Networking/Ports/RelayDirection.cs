using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>Bytes from one socket to another through a pipe, without their coming to user space (splice(2)).</summary>
/// <remarks>Reads nothing more until the target has taken what was read, so that a slow one slows the source down. Belongs to the loop's
/// thread.</remarks>
internal sealed class RelayDirection(SafeFileHandle from, SafeFileHandle to, RelayPipes pipes) : IDisposable
{
    /// <summary>Times that a turn of the loop fills and empties the pipe; others wait for theirs.</summary>
    private const int Rounds = 8;

    private RelayPipe? _pipe;
    private int _inPipe;
    private bool _ended;

    /// <summary>The source may have something.</summary>
    public bool WantsInput => _inPipe == 0 && !_ended;

    /// <summary>The target has not taken everything yet.</summary>
    public bool WantsOutput => _inPipe > 0;

    /// <summary>The source's end has been passed on.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Moves what can be moved now.</summary>
    /// <returns>False where one of the two is broken, or no pipe is to be had.</returns>
    public bool TryMove()
    {
        bool stuck = false;
        for (int i = 0; i < Rounds && !stuck && !_ended; i++)
        {
            if (!TryRead(ref stuck) || !TryWrite(ref stuck))
            {
                return false;
            }
        }

        if (_inPipe == 0 && _pipe is not null)
        {
            pipes.Return(_pipe);
            _pipe = null;
        }

        if (_ended && _inPipe == 0 && !IsOver)
        {
            IsOver = true;
            return InternetSockets.TryShutdownWrite(to) == Errno.None;
        }

        return true;
    }

    /// <summary>A pipe with something in it is of no use to others.</summary>
    public void Dispose() => _pipe?.Dispose();

    private bool TryRead(ref bool stuck)
    {
        if (_inPipe > 0)
        {
            return true;
        }

        _pipe ??= pipes.TryRent();
        if (_pipe is null)
        {
            return false;
        }

        int n = Descriptors.TrySplice(from, _pipe.Write, RelayPipe.Capacity, out Errno errno);
        _inPipe = Math.Max(n, 0);
        _ended = n == 0;
        stuck = n < 0;
        return n >= 0 || errno == Errno.EAGAIN;
    }

    private bool TryWrite(ref bool stuck)
    {
        if (_inPipe == 0)
        {
            return true;
        }

        int n = Descriptors.TrySplice(_pipe!.Read, to, _inPipe, out Errno errno);
        _inPipe -= Math.Max(n, 0);
        stuck = n < 0;
        return n > 0 || errno == Errno.EAGAIN;
    }
}
