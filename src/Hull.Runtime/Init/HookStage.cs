using Hull.Linux;
using Hull.Runtime.Hooks;

namespace Hull.Runtime.Init;

/// <summary>Executes one hook from the child stage, under its rules: no allocation, no exception, no lock.</summary>
/// <remarks>
/// The hook has what the child has at that step: namespaces, root, current directory, cgroup, and for startContainer the
/// payload's user, rights and filter. Nothing has to be made anew for it, so nothing can be forgotten.
/// <code>
/// child stage ── clone ──► hook: setsid, dup3 0 1 2, close_range 3…, signals, execve
///   ppoll(pidfd, timeout), wait4
///   ended badly: (source, outcome) and the tail of its output ──► report pipe, exit
/// </code>
/// </remarks>
internal static unsafe class HookStage
{
    private const int ClonePidFd = 0x1000;
    private const int SignalChild = 17;
    private const int SeekSet = 0;
    private const int SeekEnd = 2;

    /// <summary>Returns when the hook has succeeded; otherwise tells and ends the process.</summary>
    /// <param name="source">What a message calls it: its place in the plan, or as a <see cref="StartReport"/> has it.</param>
    /// <param name="report">Where its failure is told.</param>
    public static void Run(int source, NativeHook* hook, int report, ChildShared* shared)
    {
        shared->HookErrno = 0;
        int pidFd = -1;
        nint pid = hook->Seconds > 0
            ? RawSyscall.Invoke(shared->Clone, ClonePidFd | SignalChild, 0, (nint)(&pidFd), 0, 0)
            : RawSyscall.Invoke(shared->Clone, SignalChild, 0, 0, 0, 0);
        if (pid == 0)
        {
            Execute(hook, shared);
        }

        int outcome = pid < 0 ? (int)-pid : Wait((int)pid, pidFd, hook->Seconds, shared);
        if (outcome != 0)
        {
            Tell(source, outcome, hook, report, shared);
        }
    }

    /// <summary>The hook's own process; never returns.</summary>
    private static void Execute(NativeHook* hook, ChildShared* shared)
    {
        RawSyscall.Invoke(shared->SetSession);
        RawSyscall.Invoke(shared->Duplicate, hook->Input, 0, 0);
        RawSyscall.Invoke(shared->Duplicate, hook->Output, 1, 0);
        RawSyscall.Invoke(shared->Duplicate, hook->Output, 2, 0);
        nint result = RawSyscall.Invoke(SystemCallNumbers.close_range, 3, unchecked((nint)uint.MaxValue), 0);
        if (result == 0)
        {
            // struct sigaction of the kernel: SIG_DFL, no flags, empty mask.
            byte* standard = stackalloc byte[32];
            for (int signal = 1; signal < 32; signal++)
            {
                RawSyscall.Invoke(shared->SignalAction, signal, (nint)standard, 0, sizeof(ulong));
            }

            ulong none = 0;
            RawSyscall.Invoke(shared->SignalMask, 2, (nint)(&none), 0, sizeof(ulong));
            if (hook->Umask >= 0)
            {
                RawSyscall.Invoke(shared->Umask, hook->Umask);
            }

            result = RawSyscall.Invoke(shared->Execute, (nint)hook->Path, (nint)hook->Arguments, (nint)hook->Environment);
        }

        shared->HookErrno = (int)-result;
        RawSyscall.Invoke(shared->ExitGroup, 127);
    }

    private static int Wait(int pid, int pidFd, long seconds, ChildShared* shared)
    {
        bool timedOut = false;
        if (pidFd >= 0)
        {
            // struct pollfd: the descriptor, POLLIN; struct timespec, which the call itself counts down.
            ulong poll = (uint)pidFd | (1UL << 32);
            long* left = stackalloc long[2] { seconds, 0 };
            nint ready;
            do
            {
                ready = RawSyscall.Invoke(shared->Poll, (nint)(&poll), 1, (nint)left, 0, 0);
            }
            while (ready == -(int)Errno.EINTR);
            RawSyscall.Invoke(shared->Close, pidFd);
            if (ready != 1)
            {
                timedOut = ready == 0;
                RawSyscall.Invoke(shared->Kill, -pid, 9);
                RawSyscall.Invoke(shared->Kill, pid, 9);
            }
        }

        int status = 0;
        while (RawSyscall.Invoke(shared->Wait4, pid, (nint)(&status), 0, 0) == -(int)Errno.EINTR)
        {
        }

        return timedOut ? HookOutcome.TimedOutForm
            : shared->HookErrno != 0 ? shared->HookErrno
            : status == 0 ? 0
            : HookOutcome.EndedForm | (status & 0xff7f);
    }

    private static void Tell(int source, int outcome, NativeHook* hook, int report, ChildShared* shared)
    {
        // Less than PIPE_BUF: one write(2) is one message.
        byte* message = stackalloc byte[sizeof(ulong) + HookPlace.TailBytes];
        *(ulong*)message = ((ulong)(uint)outcome << 32) | (uint)source;
        if (RawSyscall.Invoke(shared->Seek, hook->Output, -HookPlace.TailBytes, SeekEnd) < 0)
        {
            RawSyscall.Invoke(shared->Seek, hook->Output, 0, SeekSet);
        }

        nint tail = RawSyscall.Invoke(shared->Read, hook->Output, (nint)(message + sizeof(ulong)), HookPlace.TailBytes);
        RawSyscall.Invoke(shared->Write, report, (nint)message, sizeof(ulong) + (tail > 0 ? tail : 0));
        RawSyscall.Invoke(shared->ExitGroup, 127);
    }
}

/// <summary>A hook as the child stage executes it.</summary>
internal unsafe struct NativeHook
{
    public byte* Path;
    public byte** Arguments;
    public byte** Environment;

    /// <summary>The descriptor of its state, read from its position.</summary>
    public int Input;

    /// <summary>Where both of its output streams go, a file that can be read again.</summary>
    public int Output;

    /// <summary>Its place in its list.</summary>
    public int Number;

    /// <summary>The creation mask to set, or below 0 for the child's own.</summary>
    public int Umask;

    /// <summary>Its timeout; 0 for none.</summary>
    public long Seconds;
}
