using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The socket pair over which a child waits for its parent, a byte a gate.</summary>
internal sealed unsafe class ChildGates : IDisposable
{
    private readonly SafeFileHandle _child;
    private readonly byte* _byte;
    private readonly Queue<Action<StartedChild>> _parts = new();

    public ChildGates(InitPlan plan)
    {
        (ParentEnd, _child) = UnixSockets.Pair();
        _byte = (byte*)plan.Allocate(1);
    }

    public SafeFileHandle ParentEnd { get; }

    /// <summary>First of the child's steps: with its copy of the parent's end open, a gate would never end when the parent was killed.</summary>
    public void AddFirst(InitPlan plan) => plan.Call("close", SystemCallNumbers.close, "gate", "the end of our parent must show at its gates",
        [PlanArgument.Named(ParentEnd.DangerousGetHandle(), "parent's end")]);

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

    /// <summary>Adds steps that tell the parent that the child has come here and wait until it has done its part.</summary>
    /// <param name="part">What the parent does meanwhile, called by <see cref="Keep"/>.</param>
    public void Meet(InitPlan plan, string why, string until, Action<StartedChild> part)
    {
        Tell(plan, why);
        Wait(plan, until);
        _parts.Enqueue(part);
    }

    /// <summary>The parent's parts of every <see cref="Meet"/>, in their order.</summary>
    public void Keep(StartedChild child)
    {
        while (_parts.TryDequeue(out Action<StartedChild>? part))
        {
            child.WaitFor();
            part(child);
            child.Continue();
        }
    }

    /// <summary>Adds steps that tell the parent the number of a descriptor, wait until it has a copy, and close it.</summary>
    public void Hand(InitPlan plan, Slot descriptor, string what)
    {
        int* number = (int*)plan.Allocate(sizeof(int));
        plan.Add(new PlanStep
        {
            Kind = StepKind.Store,
            Call = "store",
            Number = 0,
            Target = what,
            Why = "the descriptor's number, for the parent",
            Arguments = [PlanArgument.Memory(number, "number"), descriptor],
        });
        plan.Call("write", SystemCallNumbers.write, what, "the parent copies it out of this process (pidfd_getfd(2))",
            [PlanArgument.Named(_child.DangerousGetHandle(), "gate"), PlanArgument.Memory(number, "number"), sizeof(int)],
            hint: "the seccomp profile must allow write");
        Wait(plan, $"until the parent has handed the {what} on");
        plan.Call("close", SystemCallNumbers.close, what, "who holds the other copies decides over its life", [descriptor]);
    }

    /// <summary>The child's end, for a plan that closes what it does not name.</summary>
    public int ChildEnd => (int)_child.DangerousGetHandle();

    public void CloseChildEnds() => _child.Dispose();

    /// <summary>Closes both ends; for a plan that is not walked.</summary>
    public void Dispose()
    {
        _child.Dispose();
        ParentEnd.Dispose();
    }
}
