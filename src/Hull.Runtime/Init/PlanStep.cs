using System.Text;
using Hull.Linux;
using Hull.Runtime.Hooks;

namespace Hull.Runtime.Init;

/// <summary>What the child stage does at a step.</summary>
internal enum StepKind : byte
{
    /// <summary>A system call; a result below 0 that is not tolerated ends the child.</summary>
    Call,

    /// <summary>A system call whose result must be the expected number.</summary>
    CallExactly,

    /// <summary>Compares a 32-bit word of memory that an earlier call filled; a difference ends the child.</summary>
    Verify,

    /// <summary>The opposite: equality ends the child.</summary>
    Refuse,

    /// <summary>Copies a slot into memory: a descriptor into a control message.</summary>
    Store,

    /// <summary>Clones; the parent reports the child's process id and exits, the child goes on.</summary>
    Fork,

    /// <summary>Clones; the parent stays as PID 1, reaps and forwards signals, the child goes on.</summary>
    ForkPayload,

    /// <summary>Executes a hook and waits for it; one that fails ends the child.</summary>
    RunHook,

    /// <summary>From here on a failure is told on another descriptor, in the form of <see cref="StartReport"/>.</summary>
    ReportTo,
}

/// <summary>One step between clone3 and execve, as data: what is asked of the kernel, on what, and why.</summary>
internal sealed class PlanStep
{
    public required StepKind Kind { get; init; }

    /// <summary>The call as the kernel spells it.</summary>
    public required string Call { get; init; }

    public required int Number { get; init; }

    public required PlanArgument[] Arguments { get; init; }

    /// <summary>The object acted on, for the error message and the printed plan.</summary>
    public required string Target { get; init; }

    /// <summary>The reason, in words for a reader.</summary>
    public required string Why { get; init; }

    /// <summary>Where the result goes; -1 drops it.</summary>
    public int Result { get; init; } = -1;

    /// <summary>Errnos that are as good as success; at most four.</summary>
    public Errno[] Tolerated { get; init; } = [];

    /// <summary>For CallExactly the result, for Verify the word's value.</summary>
    public nint Expected { get; init; }

    /// <summary>For Verify: the bits compared. For a failed Verify or CallExactly: the errno reported.</summary>
    public uint Mask { get; init; } = uint.MaxValue;

    public Errno Failure { get; init; } = Errno.EPROTO;

    /// <summary>What to do when the step fails, or null.</summary>
    public string? Hint { get; init; }

    /// <summary>For RunHook: which one.</summary>
    public HookPlace? Hook { get; init; }

    public override string ToString()
    {
        StringBuilder line = new(Call);
        line.Append('(').AppendJoin(", ", Arguments).Append(')');
        if (Result >= 0)
        {
            line.Append(" = $").Append(Result);
        }

        if (Tolerated.Length > 0)
        {
            line.Append(" or ").AppendJoin(" or ", Tolerated.Select(e => e.Name()));
        }

        return line.ToString();
    }
}
