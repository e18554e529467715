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
        // Everything of the parent goes: the report pipe must end with the payload's execve, the container's lock with its monitor.
        RawSyscall.Invoke(SystemCallNumbers.close_range, 3, unchecked((nint)uint.MaxValue), 0);
        TakeName(shared);
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

    /// <summary>ps and top of the container show an init, not its parent's command line.</summary>
    private static void TakeName(ChildShared* shared)
    {
        ulong low = 0x6E692D6C6C7568; // "hull-in", little-endian
        ulong* name = stackalloc ulong[2];
        name[0] = low | ((ulong)'i' << 56);
        name[1] = 't';
        RawSyscall.Invoke(shared->Prctl, 15, (nint)name);
        byte* line = (byte*)shared->CommandLine;
        for (int i = 0; i < shared->CommandLineLength; i++)
        {
            line[i] = i < 9 ? ((byte*)name)[i] : (byte)0;
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
