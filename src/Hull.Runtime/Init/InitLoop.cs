using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>PID 1 of a container run with --init: reaps every orphan, forwards signals to the payload, ends as it ends.</summary>
/// <remarks>Runs in the child stage, under its rules. All signals are blocked, so they queue for rt_sigtimedwait(2).</remarks>
internal static unsafe class InitLoop
{
    private const int SignalChild = 17;

    /// <summary>Never returns.</summary>
    public static void Run(int payload, ChildShared* shared)
    {
        ulong all = ulong.MaxValue;
        while (true)
        {
            nint signal = RawSyscall.Invoke(shared->SignalTimedWait, (nint)(&all), 0, 0, sizeof(ulong));
            if (signal == SignalChild)
            {
                Reap(payload, shared);
            }
            else if (signal > 0)
            {
                RawSyscall.Invoke(shared->Kill, payload, signal);
            }
        }
    }

    private static void Reap(int payload, ChildShared* shared)
    {
        while (true)
        {
            int status = 0;
            nint pid = RawSyscall.Invoke(shared->Wait4, -1, (nint)(&status), 1, 0);
            if (pid <= 0)
            {
                return;
            }

            if (pid == payload)
            {
                int signal = status & 0x7f;
                // PID 1 cannot end by its own signal (pid_namespaces(7)), so the status is 128 + N as a shell has it.
                RawSyscall.Invoke(shared->ExitGroup, signal == 0 ? (status >> 8) & 0xff : 128 + signal);
            }
        }
    }
}
