using Hull.Linux;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>A process made by <see cref="ContainerLauncher"/>: first blocked before execve, then the payload itself.</summary>
/// <remarks>Belongs to the one thread that made it. Disposing closes the descriptors and leaves the process alone.</remarks>
public sealed class RunningContainer : IDisposable
{
    private readonly StartedChild _child;

    internal RunningContainer(StartedChild child, SafeFileHandle? terminal)
    {
        _child = child;
        Terminal = terminal;
    }

    /// <summary>The process id in the caller's pid namespace.</summary>
    public int Pid => _child.Pid;

    /// <summary>A pidfd (pidfd_open(2)): readable when the process has ended. It is the caller's child to wait for.</summary>
    public SafeFileHandle PidFd => _child.PidFd;

    /// <summary>The master of the payload's pseudo terminal, or null.</summary>
    public SafeFileHandle? Terminal { get; }

    /// <summary>Whether the process has ended, reaped or not.</summary>
    internal bool HasEnded => Poll.Wait([new PollEntry(PidFd, PollEvents.Readable)], 0) > 0;

    /// <summary>Lets the payload execute and waits until it has, or has failed.</summary>
    /// <exception cref="ContainerException">execve failed; the child has ended and was reaped.</exception>
    public void Start() => _child.Release();

    public void Dispose()
    {
        Terminal?.Dispose();
        _child.Dispose();
    }
}
