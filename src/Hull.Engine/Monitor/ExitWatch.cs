using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Calls back once, with how a child ended.</summary>
/// <remarks>A pidfd is readable as soon as the child has ended, but waitid(2) gives the outcome to a tracer first, if there is
/// one (ptrace(2); <c>strace -f</c> on a container): until the tracer has taken it, the parent finds no ended child.</remarks>
internal sealed class ExitWatch : IDisposable
{
    private static readonly TimeSpan TracersTurn = TimeSpan.FromMilliseconds(20);

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _pidFd;
    private readonly Action<ProcessExit> _ended;
    private readonly Watch _watch;
    private Deadline? _again;

    /// <param name="pidFd">Of a child of this process; stays the caller's.</param>
    public ExitWatch(EventLoop loop, SafeFileHandle pidFd, Action<ProcessExit> ended)
    {
        _loop = loop;
        _pidFd = pidFd;
        _ended = ended;
        _watch = loop.Watch(pidFd, PollEvents.Readable, _ => TryReap());
    }

    public void Dispose()
    {
        _watch.Dispose();
        _again?.Dispose();
    }

    private void TryReap()
    {
        if (PidFd.Reap(_pidFd) is { } exit)
        {
            _ended(exit);
            return;
        }

        // Readable from here on: watching it would spin.
        _watch.Dispose();
        _again = _loop.After(TracersTurn, TryReap);
    }
}
