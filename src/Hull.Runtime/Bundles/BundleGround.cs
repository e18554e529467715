using Hull.Linux;
using Hull.Runtime.Systemd;

namespace Hull.Runtime.Bundles;

/// <summary>What there is of a container before its first process.</summary>
/// <param name="state">Not saved yet.</param>
/// <param name="scope">Its scope of systemd's; null with the cgroupfs driver.</param>
/// <param name="keeper">Holds the first process's place in the scope.</param>
internal sealed class BundleGround(ContainerState state, ScopeName? scope, ScopeKeeper? keeper) : IDisposable
{
    public ContainerState State { get; private set; } = state;

    public ScopeName? Scope => scope;

    public ScopeKeeper? Keeper => keeper;

    /// <summary>Undoing need not kill what is in the cgroup: the first process has ended, and with it all of its pid namespace.</summary>
    public bool IsEmpty { get; set; }

    /// <summary>The first process is there, and needs nobody to hold its place.</summary>
    public ContainerState Born(int pid)
    {
        keeper?.Dispose();
        return State = State with { Pid = pid, StartTime = ProcessStat.TryRead(pid)?.StartTicks ?? 0 };
    }

    public void Dispose() => keeper?.Dispose();
}
