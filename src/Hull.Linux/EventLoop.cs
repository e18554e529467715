using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The one thread of a monitor: waits for descriptors and deadlines and calls what belongs to them, in turn. Nothing
/// here is thread-safe, and nothing that is called may block.</summary>
public sealed class EventLoop : IDisposable
{
    private readonly Epoll _epoll = new();
    private readonly List<Watch?> _watches = [];
    private readonly List<Deadline> _deadlines = [];
    private uint _generation;
    private bool _stopped;

    /// <summary>Calls <paramref name="ready"/> whenever the descriptor has one of the events, or an error or hang-up.</summary>
    /// <param name="file">Stays the caller's, who disposes the watch first.</param>
    public Watch Watch(SafeFileHandle file, PollEvents events, Action<PollEvents> ready)
    {
        int slot = _watches.IndexOf(null);
        if (slot < 0)
        {
            slot = _watches.Count;
            _watches.Add(null);
        }

        // The generation tells an event of a watch that was disposed in the same turn from one of its successor in the slot.
        Watch watch = new(this, _epoll, file, ready, slot, ((ulong)++_generation << 32) | (uint)slot);
        _watches[slot] = watch;
        watch.Events = events;
        return watch;
    }

    /// <summary>Calls <paramref name="elapsed"/> once after the delay.</summary>
    public Deadline After(TimeSpan delay, Action elapsed)
    {
        Deadline deadline = new(Environment.TickCount64 + (long)Math.Ceiling(delay.TotalMilliseconds), elapsed);
        int at = _deadlines.Count;
        while (at > 0 && _deadlines[at - 1].At > deadline.At)
        {
            at--;
        }

        _deadlines.Insert(at, deadline);
        return deadline;
    }

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_stopped)
        {
            int count = _epoll.Wait(UntilNext());
            for (int i = 0; i < count && !_stopped; i++)
            {
                (PollEvents events, ulong tag) = _epoll.Event(i);
                if (_watches[(int)(uint)tag] is Watch watch && watch.Tag == tag)
                {
                    watch.Ready(events);
                }
            }

            while (!_stopped && _deadlines.Count > 0 && _deadlines[0].At <= Environment.TickCount64)
            {
                Deadline due = _deadlines[0];
                _deadlines.RemoveAt(0);
                due.Elapse();
            }
        }
    }

    /// <summary>Makes <see cref="Run"/> return after what is being called.</summary>
    public void Stop() => _stopped = true;

    public void Dispose() => _epoll.Dispose();

    internal void Forget(int slot) => _watches[slot] = null;

    private int UntilNext()
    {
        while (_deadlines.Count > 0 && _deadlines[0].IsCancelled)
        {
            _deadlines.RemoveAt(0);
        }

        return _deadlines.Count == 0 ? -1 : (int)Math.Clamp(_deadlines[0].At - Environment.TickCount64, 0, int.MaxValue);
    }
}
