using System.Runtime.ExceptionServices;

namespace Hull.Images;

/// <summary>Runs a few long tasks at once on threads of their own.</summary>
internal static class Workers
{
    /// <summary>Runs the tasks in order, as many at a time as there are processors. The first failure cancels the others and is thrown.</summary>
    public static void Run(int count, Action<int, CancellationToken> task, CancellationToken cancel)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        ExceptionDispatchInfo? error = null;
        int next = -1;
        void Work()
        {
            while (Interlocked.Increment(ref next) is int index && index < count && !stop.IsCancellationRequested)
            {
                try
                {
                    task(index, stop.Token);
                }
#pragma warning disable CA1031 // Thrown by Run on the caller's thread.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    Interlocked.CompareExchange(ref error, ExceptionDispatchInfo.Capture(e), null);
                    stop.Cancel();
                }
            }
        }

        Thread[] threads = [.. Enumerable.Range(0, Math.Max(0, Math.Min(count, Environment.ProcessorCount) - 1)).Select(_ => new Thread(Work) { IsBackground = true })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        Work();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        error?.Throw();
        cancel.ThrowIfCancellationRequested();
    }
}
