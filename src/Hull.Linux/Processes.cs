using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>Processes by number. Prefer a pidfd where one is at hand: a number may have been given to another process.</summary>
public static partial class Processes
{
    /// <summary>kill(2). False where no such process is left (ESRCH).</summary>
    public static bool Kill(int pid, int signal)
    {
        if (kill(pid, signal) == 0)
        {
            return true;
        }

        return SyscallException.LastErrno == Errno.ESRCH ? false : throw SyscallException.Last("kill", $"process {pid}", $"signal={signal}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
