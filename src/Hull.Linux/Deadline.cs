namespace Hull.Linux;

/// <summary>Something an <see cref="EventLoop"/> does at a time, once. Disposing cancels it.</summary>
public sealed class Deadline : IDisposable
{
    private readonly Action _elapsed;

    internal Deadline(long at, Action elapsed)
    {
        At = at;
        _elapsed = elapsed;
    }

    /// <summary>On the scale of <see cref="Environment.TickCount64"/>.</summary>
    internal long At { get; }

    internal bool IsCancelled { get; private set; }

    internal void Elapse()
    {
        if (!IsCancelled)
        {
            _elapsed();
        }
    }

    public void Dispose() => IsCancelled = true;
}
