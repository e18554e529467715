using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>What runs in the child between clone3 and execve: a walk over an <see cref="InitPlan"/>.</summary>
/// <remarks>
/// Only the calling thread exists here; no collector will ever run. So nothing below allocates, throws, takes a lock, calls
/// through an interface or a generic, or touches a string or a static field with a constructor. Every call is a
/// <see cref="RawSyscall"/>. On failure the child tells (step, errno) on the report pipe and ends; when execve succeeds
/// the pipe closes with it, since it is close-on-exec.
/// </remarks>
internal static unsafe class ChildStage
{
    /// <summary>Never returns. Runs in the child.</summary>
    public static void Run(NativeStep* steps, int count, long* slots, int report, ChildShared* shared)
    {
        int index = 0;
        int startReport = -1;
        for (; index < count; index++)
        {
            NativeStep* step = steps + index;
            long a0 = Argument(step, slots, 0), a1 = Argument(step, slots, 1), a2 = Argument(step, slots, 2);
            long a3 = Argument(step, slots, 3), a4 = Argument(step, slots, 4), a5 = Argument(step, slots, 5);
            long result;
            switch (step->Kind)
            {
                case StepKind.Verify:
                    result = (*(uint*)a0 & step->Mask) == (uint)step->Expected ? 0 : -step->Failure;
                    break;
                case StepKind.Refuse:
                    result = (*(uint*)a0 & step->Mask) == (uint)step->Expected ? -step->Failure : 0;
                    break;
                case StepKind.Store:
                    *(int*)a0 = (int)a1;
                    result = 0;
                    break;
                case StepKind.Fork:
                    result = RawSyscall.Invoke(step->Number, (nint)a0, 0, 0, 0, 0, 0);
                    if (result > 0)
                    {
                        shared->Pid = (int)result;
                        RawSyscall.Invoke(shared->ExitGroup, 0);
                    }

                    break;
                case StepKind.ForkPayload:
                    result = RawSyscall.Invoke(step->Number, (nint)a0, 0, 0, 0, 0, 0);
                    if (result > 0)
                    {
                        InitLoop.Run((int)result, shared);
                    }

                    break;
                case StepKind.RunHook:
                    NativeHook* hook = (NativeHook*)a0;
                    HookStage.Run(startReport < 0 ? index : ~hook->Number, hook, startReport < 0 ? report : startReport, shared);
                    result = 0;
                    break;
                case StepKind.ReportTo:
                    startReport = (int)a0;
                    result = 0;
                    break;
                default:
                    result = RawSyscall.Invoke(step->Number, (nint)a0, (nint)a1, (nint)a2, (nint)a3, (nint)a4, (nint)a5);
                    if (step->Kind == StepKind.CallExactly && result >= 0 && result != step->Expected)
                    {
                        result = -step->Failure;
                    }

                    break;
            }

            if (result < 0 && !Tolerates(step, (int)-result))
            {
                Fail(startReport < 0 ? index : step->Number, (int)-result, startReport < 0 ? report : startReport, shared);
            }

            if (step->Result >= 0)
            {
                slots[step->Result] = result;
            }
        }

        // Every plan ends in execve; coming here means that none of the candidates could be executed.
        Fail(startReport < 0 ? count - 1 : steps[count - 1].Number, (int)Errno.ENOEXEC, startReport < 0 ? report : startReport, shared);
    }

    private static long Argument(NativeStep* step, long* slots, int i) =>
        (step->SlotMask & (1u << i)) != 0 ? slots[step->Arguments[i]] : step->Arguments[i];

    private static bool Tolerates(NativeStep* step, int errno) =>
        step->Tolerated[0] == errno || step->Tolerated[1] == errno || step->Tolerated[2] == errno || step->Tolerated[3] == errno;

    /// <param name="source">The step's place in the plan, or for a <see cref="StartReport"/> the number of its call.</param>
    private static void Fail(int source, int errno, int report, ChildShared* shared)
    {
        ulong message = ((ulong)(uint)errno << 32) | (uint)source;
        RawSyscall.Invoke(shared->Write, report, (nint)(&message), sizeof(ulong));
        RawSyscall.Invoke(shared->ExitGroup, 127);
    }
}

/// <summary>Memory that parent and child share (MAP_SHARED), and the numbers the child cannot look up.</summary>
internal struct ChildShared
{
    /// <summary>Set by <see cref="StepKind.Fork"/>: the process that goes on, as the parent's pid namespace numbers it.</summary>
    public int Pid;
    public int ExitGroup;
    public int Write;
    public int Wait4;
    public int Kill;
    public int SignalTimedWait;
    public int Prctl;
    public int Clone;
    public int SetSession;
    public int Duplicate;
    public int SignalAction;
    public int SignalMask;
    public int Umask;
    public int Execute;
    public int Poll;
    public int Close;
    public int Seek;
    public int Read;

    /// <summary>Set by a hook's own process where its execve failed.</summary>
    public int HookErrno;

    /// <summary>Where the kernel finds our command line, and its length in bytes; 0 where nobody needs it.</summary>
    public long CommandLine;
    public int CommandLineLength;
}
