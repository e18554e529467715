using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The socket pair over which a child waits for its parent, a byte a gate.</summary>
internal sealed unsafe class ChildGates : IDisposable
{
    private readonly SafeFileHandle _child;
    private readonly byte* _byte;

    public ChildGates(InitPlan plan)
    {
        (ParentEnd, _child) = UnixSockets.Pair();
        _byte = (byte*)plan.Allocate(1);
    }

    public SafeFileHandle ParentEnd { get; }

    /// <summary>Adds a step that waits for the parent.</summary>
    public void Wait(InitPlan plan, string why) => WaitOn(plan, PlanArgument.Named(_child.DangerousGetHandle(), "gate"), why);

    /// <summary>Adds a step that waits for a byte on a descriptor.</summary>
    public static void WaitOn(InitPlan plan, PlanArgument descriptor, string why) => plan.Add(new PlanStep
    {
        Kind = StepKind.CallExactly,
        Call = "read",
        Number = SystemCallNumbers.read,
        Target = "gate",
        Why = why,
        Arguments = [descriptor, PlanArgument.Memory(plan.Allocate(1), "byte"), 1],
        Expected = 1,
        Failure = Errno.EPIPE,
        Hint = "the starting process ended before the container was ready",
    });

    /// <summary>Adds a step that tells the parent that the child has come here.</summary>
    public void Tell(InitPlan plan, string why) =>
        plan.Call("write", SystemCallNumbers.write, "gate", why,
            [PlanArgument.Named(_child.DangerousGetHandle(), "gate"), PlanArgument.Memory(_byte, "byte"), 1]);

    public void CloseChildEnds() => _child.Dispose();

    /// <summary>Closes both ends; for a plan that is not walked.</summary>
    public void Dispose()
    {
        _child.Dispose();
        ParentEnd.Dispose();
    }
}
