using Hull.Linux;
using Hull.Runtime.Init;

namespace Hull.Runtime.Systemd;

/// <summary>A process that does nothing: systemd makes a scope around processes that are there already, and the container is
/// yet to be born in the scope's cgroup. It ends when disposed of, and when its maker ends.</summary>
/// <remarks>For single-threaded processes only: it clones (design, section 4).</remarks>
internal sealed class ScopeKeeper : IDisposable
{
    private readonly StartedChild _child;
    private bool _ended;

    private ScopeKeeper(StartedChild child) => _child = child;

    public int Pid => _child.Pid;

    /// <exception cref="SyscallException">No process could be made.</exception>
    public static ScopeKeeper Start()
    {
        InitPlan plan = new();
        try
        {
            ChildGates gates = new(plan);
            // Our end of the gate too: it reads the end of the file when we are gone.
            plan.CloseAllBut([gates.ChildEnd]);
            gates.Wait(plan, "it only has to be there");
            return new ScopeKeeper(StartedChild.Clone(
                plan, default, cgroup: null, gates, static (step, errno) => new SyscallException(step.Call, step.Target, errno)));
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!_ended)
        {
            _ended = true;
            _child.Kill();
            _child.Dispose();
        }
    }
}
