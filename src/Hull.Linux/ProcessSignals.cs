using System.Runtime.CompilerServices;

namespace Hull.Linux;

/// <summary>Signals of the whole process, for a program that reads them from a signalfd(2).</summary>
public static class ProcessSignals
{
    private static readonly object Turn = new();
    private static SignalSet _wanted;
    private static volatile bool _applied;

    /// <summary>Blocks signals in the calling thread and in the runtime's finalizer thread, the only other one of a process
    /// that uses no thread pool: a signal that any thread leaves unblocked takes its default action there.</summary>
    /// <remarks>The mask of another thread can only be set by that thread, so an object is left for it to finalize. Costs
    /// one collection of a small heap, some 0.3 ms: do it while something else is waited for.</remarks>
    /// <returns>The calling thread's mask before.</returns>
    public static SignalSet BlockEverywhere(SignalSet set)
    {
        lock (Turn)
        {
            SignalSet before = Signals.Block(set);
            Signals.StopIgnoring(set);
            _wanted = set;
            _applied = false;
            while (!_applied)
            {
                LeaveForFinalizer();
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
            }

            return before;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LeaveForFinalizer() => GC.KeepAlive(new Messenger());

    /// <summary>Runs once on the finalizer thread.</summary>
    private sealed class Messenger
    {
        ~Messenger()
        {
            Signals.Block(_wanted);
            _applied = true;
        }
    }
}
