using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>One descriptor that an <see cref="EventLoop"/> waits for. Disposing ends the watch and leaves the descriptor.</summary>
public sealed class Watch : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Epoll _epoll;
    private readonly SafeFileHandle _file;
    private readonly int _slot;
    private PollEvents _events;
    private bool _disposed;

    internal Watch(EventLoop loop, Epoll epoll, SafeFileHandle file, Action<PollEvents> ready, int slot, ulong tag)
    {
        _loop = loop;
        _epoll = epoll;
        _file = file;
        _slot = slot;
        Ready = ready;
        Tag = tag;
    }

    internal Action<PollEvents> Ready { get; }

    internal ulong Tag { get; }

    /// <summary>What is waited for. None takes the descriptor out, since a hang-up would be reported in any case, again and again.</summary>
    public PollEvents Events
    {
        get => _events;
        set
        {
            if (value == _events || _disposed)
            {
                return;
            }

            if (value == PollEvents.None)
            {
                _epoll.Remove(_file);
            }
            else if (_events == PollEvents.None)
            {
                _epoll.Add(_file, value, Tag);
            }
            else
            {
                _epoll.Modify(_file, value, Tag);
            }

            _events = value;
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            Events = PollEvents.None;
            _disposed = true;
            _loop.Forget(_slot);
        }
    }
}
