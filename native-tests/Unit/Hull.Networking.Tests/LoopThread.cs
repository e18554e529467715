using System.Collections.Concurrent;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Tests;

/// <summary>A real loop in a thread of the test process.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly SafeFileHandle _wake = EventFd.Create();
    private readonly ConcurrentQueue<Action> _work = new();
    private Thread? _thread;
    private Exception? _crash;

    public EventLoop Loop { get; } = new();

    /// <summary>From here on the loop is the thread's.</summary>
    public void Start()
    {
        _thread = new Thread(() =>
        {
            try
            {
                using Watch watch = Loop.Watch(_wake, PollEvents.Readable, _ => Work());
                Loop.Run();
            }
            catch (Exception error)
            {
                _crash = error;
            }
        });
        _thread.Start();
    }

    /// <summary>Runs on the loop's thread.</summary>
    public T Do<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = new();
        _work.Enqueue(() => done.SetResult(work()));
        Files.Write(_wake, [1, 0, 0, 0, 0, 0, 0, 0]);
        Assert.True(done.Task.Wait(TimeSpan.FromSeconds(10)), $"the loop does not turn: {_crash}");
        return done.Task.Result;
    }

    public void Dispose()
    {
        Do(() =>
        {
            Loop.Stop();
            return 0;
        });
        Assert.True(_thread!.Join(TimeSpan.FromSeconds(10)));
        Loop.Dispose();
        _wake.Dispose();
        Assert.Null(_crash);
    }

    private void Work()
    {
        Files.Read(_wake, stackalloc byte[8]);
        while (_work.TryDequeue(out Action? action))
        {
            action();
        }
    }
}
