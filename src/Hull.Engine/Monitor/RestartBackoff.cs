using Hull.Engine.Containers;

namespace Hull.Engine.Monitor;

/// <summary>Decides after each end of a container whether and when it starts again. Pure: no clock, no I/O.</summary>
/// <remarks>Docker's numbers: 100 ms at first, doubled at each end up to a minute, back to 100 ms after a run of 10 s.</remarks>
internal sealed class RestartBackoff(RestartPolicy? policy)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private TimeSpan _next;

    /// <summary>Restarts that were decided so far.</summary>
    public int Count { get; private set; }

    /// <summary>Goes on with a series that a monitor before this one began.</summary>
    public void Resume(int restarts) => Count = restarts;

    /// <summary>How long to wait before the next start; null where there is none.</summary>
    /// <param name="exitCode">Of the run that ended.</param>
    /// <param name="ran">How long it ran.</param>
    public TimeSpan? After(int exitCode, TimeSpan ran)
    {
        bool again = policy?.Condition switch
        {
            RestartCondition.Always or RestartCondition.UnlessStopped => true,
            RestartCondition.OnFailure => exitCode != 0 && (policy.MaximumRetryCount == 0 || Count < policy.MaximumRetryCount),
            _ => false,
        };
        if (!again)
        {
            return null;
        }

        TimeSpan delay = _next == TimeSpan.Zero || ran >= Settled ? First : _next;
        _next = delay * 2 > Longest ? Longest : delay * 2;
        Count++;
        return delay;
    }
}
