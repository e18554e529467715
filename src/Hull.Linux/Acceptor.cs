using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Lets clients in at a listening socket, one a turn of the loop, and stands still for a second where there is no room for
/// another one: level-triggered, the waiting client would be reported again and again.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
public sealed class Acceptor : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly SafeFileHandle _listener;
    private readonly Action<SafeFileHandle> _accepted;
    private readonly Watch _watch;
    private Deadline? _resume;
    private bool _isOpen = true;
    private bool _disposed;

    /// <param name="listener">Non-blocking; stays the caller's, who disposes this first.</param>
    /// <param name="accepted">Owns the client, whose socket is non-blocking.</param>
    public Acceptor(EventLoop loop, SafeFileHandle listener, Action<SafeFileHandle> accepted)
    {
        _loop = loop;
        _listener = listener;
        _accepted = accepted;
        _watch = loop.Watch(listener, PollEvents.Readable, OnConnection);
    }

    /// <summary>False: clients wait in the kernel's queue. Opening also ends a pause, for who left has given back descriptors.</summary>
    public bool IsOpen
    {
        get => _isOpen;
        set
        {
            _isOpen = value;
            Resume();
        }
    }

    /// <summary>Lets nobody in for a second: something that a client needs was not to be had.</summary>
    public void StandStill()
    {
        if (!_disposed)
        {
            _watch.Events = PollEvents.None;
            _resume?.Dispose();
            _resume = _loop.After(Pause, Resume);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _watch.Dispose();
        _resume?.Dispose();
    }

    private void OnConnection(PollEvents events)
    {
        SafeFileHandle? client = InternetSockets.TryAccept(_listener, out Errno errno);
        if (client is not null)
        {
            _accepted(client);
        }
        else if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS)
        {
            StandStill();
        }
    }

    private void Resume()
    {
        try
        {
            _watch.Events = _isOpen ? PollEvents.Readable : PollEvents.None;
        }
        catch (SyscallException)
        {
            // epoll_ctl(2) finds no room yet.
            StandStill();
        }
    }
}
