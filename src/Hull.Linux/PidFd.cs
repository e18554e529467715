using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>How a process ended.</summary>
/// <param name="Code">exit(3)'s low 8 bits; 0 where a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
public readonly record struct ProcessExit(int Code, int Signal)
{
    /// <summary>As shells and docker count: the exit code, or 128 plus the signal.</summary>
    public int ShellCode => Signal == 0 ? Code : 128 + Signal;
}

/// <summary>pidfd(2): a process by a descriptor that never comes to mean another process.</summary>
public static unsafe partial class PidFd
{
    /// <summary>pidfd_open(2) (Linux 5.3). The caller knows the process is there: its own unreaped child, or one whose start
    /// time it checks afterwards.</summary>
    /// <returns>Null where no such process is.</returns>
    public static SafeFileHandle? TryOpen(int pid)
    {
        nint fd = syscall(SystemCallNumbers.pidfd_open, pid, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true)
            : SyscallException.LastErrno == Errno.ESRCH ? null
            : throw SyscallException.Last("pidfd_open", pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>pidfd_send_signal(2). False where the process has ended.</summary>
    public static bool SendSignal(SafeFileHandle pidFd, int signal)
    {
        if (syscall(SystemCallNumbers.pidfd_send_signal, Files.Fd(pidFd), signal, 0, 0) == 0)
        {
            return true;
        }

        return SyscallException.LastErrno == Errno.ESRCH
            ? false : throw SyscallException.Last("pidfd_send_signal", null, $"signal={signal}");
    }

    /// <summary>waitid(2) P_PIDFD on a child (Linux 5.4): reaps it and tells how it ended.</summary>
    /// <param name="wait">False: returns null at once where the child still runs.</param>
    /// <exception cref="SyscallException">ECHILD: not a child of this process, or reaped already.</exception>
    public static ProcessExit? Reap(SafeFileHandle pidFd, bool wait = false) => Wait(IdTypePidFd, Files.Fd(pidFd), wait, out _);

    /// <summary>waitid(2) P_ALL without waiting: reaps one ended child, whichever, such as an orphan that a child
    /// subreaper was given.</summary>
    /// <returns>Its process id, or 0 where none has ended or there is no child.</returns>
    public static int ReapAny(out ProcessExit exit)
    {
        try
        {
            ProcessExit? found = Wait(IdTypeAll, 0, wait: false, out int pid);
            exit = found ?? default;
            return found is null ? 0 : pid;
        }
        catch (SyscallException error) when (error.Errno == Errno.ECHILD)
        {
            exit = default;
            return 0;
        }
    }

    /// <summary>The id and outcome of one ended child that stays unreaped (WNOWAIT); 0 where there is none.</summary>
    public static int PeekAny()
    {
        Span<byte> info = stackalloc byte[InfoBytes];
        return TryWaitId(IdTypeAll, 0, Exited | NoHang | LeaveUnreaped, info) == Errno.None ? PidOf(info) : 0;
    }

    private static ProcessExit? Wait(int idType, int id, bool wait, out int pid)
    {
        Span<byte> info = stackalloc byte[InfoBytes];
        Errno errno = TryWaitId(idType, id, Exited | (wait ? 0 : NoHang), info);
        if (errno != Errno.None)
        {
            throw new SyscallException("waitid", null, errno);
        }

        pid = PidOf(info);
        if (pid == 0)
        {
            return null;
        }

        int code = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
        int status = BinaryPrimitives.ReadInt32LittleEndian(info[24..]);
        return code == CodeExited ? new ProcessExit(status & 0xff, 0) : new ProcessExit(0, status);
    }

    private static Errno TryWaitId(int idType, int id, int options, Span<byte> info)
    {
        info.Clear();
        // SAFETY: glibc writes one siginfo_t, 128 bytes, into the caller's buffer of that size.
        fixed (byte* p = info)
        {
            while (waitid(idType, id, p, options) != 0)
            {
                if (SyscallException.LastErrno != Errno.EINTR)
                {
                    return SyscallException.LastErrno;
                }
            }
        }

        return Errno.None;
    }

    /// <summary>si_pid; 0 where WNOHANG found nothing, as waitid(2) leaves the zeroed structure.</summary>
    private static int PidOf(ReadOnlySpan<byte> info) => BinaryPrimitives.ReadInt32LittleEndian(info[16..]);

    // siginfo_t of SIGCHLD: si_signo 0, si_errno 4, si_code 8, then a union aligned to 8: si_pid 16, si_uid 20, si_status 24.
    private const int InfoBytes = 128;
    private const int CodeExited = 1;
    private const int IdTypeAll = 0;
    private const int IdTypePidFd = 3;
    private const int NoHang = 1;
    private const int Exited = 4;
    private const int LeaveUnreaped = 0x01000000;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int idType, int id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
}
