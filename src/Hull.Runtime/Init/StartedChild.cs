using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Hooks;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>A child between its clone and its execve, seen from the parent.</summary>
/// <remarks>
/// <code>
/// parent                         child
///   clone3 ───────────────────────► walks the plan
///   maps, cgroups, hooks            …
///   Continue ── one byte ─────────► read(sync)         (once a gate)
///   TellListener ◄─ a number ────── write(fd), read(sync)  (with a seccomp listener)
///   WaitFor  ◄──────── one byte ─── write(ready)
///   Release  ── one byte ─────────► read(sync), execve
///            ◄── (step, errno) ──── report pipe, or end of file when execve closed it
///            ◄── (step, outcome), the output's tail ── of a hook that failed, see HookStage
/// </code>
/// </remarks>
internal sealed unsafe partial class StartedChild : IDisposable
{
    private readonly InitPlan _plan;
    private readonly SafeFileHandle _report;
    private readonly SafeFileHandle _sync;
    private readonly Func<PlanStep, Errno, Exception> _explain;
    private readonly ChildShared* _shared;

    private StartedChild(
        int pid, SafeFileHandle pidFd, InitPlan plan, SafeFileHandle report, SafeFileHandle sync, ChildShared* shared,
        Func<PlanStep, Errno, Exception> explain)
    {
        Pid = pid;
        PidFd = pidFd;
        _plan = plan;
        _report = report;
        _sync = sync;
        _shared = shared;
        _explain = explain;
    }

    public int Pid { get; private set; }

    public SafeFileHandle PidFd { get; private set; }

    /// <summary>Clones a child that walks the plan. The caller is single-threaded (design, section 4).</summary>
    /// <param name="gates">The channel whose child end the plan's gates read and write.</param>
    /// <param name="explain">Words a failed step; may look at the rootfs.</param>
    public static StartedChild Clone(
        InitPlan plan, CloneFlags flags, SafeFileHandle? cgroup, ChildGates gates, Func<PlanStep, Errno, Exception> explain)
    {
        (SafeFileHandle reportRead, SafeFileHandle reportWrite) = Descriptors.Pipe();
        plan.PlaceClose((int)reportWrite.DangerousGetHandle());
        plan.Freeze();
        int slotBytes = sizeof(long) * Math.Max(plan.SlotCount, 1);
        long* slots = (long*)plan.Allocate(slotBytes);
        ChildShared* shared = MapShared();
        if (plan.Steps.Any(step => step.Kind == StepKind.ForkPayload))
        {
            FindCommandLine(shared);
        }

        int pidFd = -1;
        CloneArguments arguments = new()
        {
            Flags = flags | CloneFlags.PidFd | (cgroup is null ? 0 : CloneFlags.IntoCgroup),
            PidFd = (ulong)(&pidFd),
            ExitSignal = SignalChild,
            Cgroup = cgroup is null ? 0 : (ulong)cgroup.DangerousGetHandle(),
        };
        NativeStep* steps = plan.Native;
        int count = plan.Steps.Count;
        int report = (int)reportWrite.DangerousGetHandle();

        // A collection that waits for the finalizer's turn must not straddle the clone.
        ulong all = ulong.MaxValue;
        ulong before = 0;
        RawSyscall.Invoke(SystemCallNumbers.rt_sigprocmask, 0, (nint)(&all), (nint)(&before), sizeof(ulong));
        nint pid = RawSyscall.Invoke(SystemCallNumbers.clone3, (nint)(&arguments), sizeof(CloneArguments));
        if (pid == 0)
        {
            ChildStage.Run(steps, count, slots, report, shared);
        }

        RawSyscall.Invoke(SystemCallNumbers.rt_sigprocmask, 2, (nint)(&before), 0, sizeof(ulong));
        reportWrite.Dispose();
        gates.CloseChildEnds();
        if (pid < 0)
        {
            reportRead.Dispose();
            munmap(shared, (nuint)sizeof(ChildShared));
            throw new SyscallException("clone3", null, (Errno)(-pid), $"flags={arguments.Flags}", CloneHint((Errno)(-pid)));
        }

        return new StartedChild((int)pid, new SafeFileHandle(pidFd, ownsHandle: true), plan, reportRead, gates.ParentEnd, shared, explain);
    }

    /// <summary>Lets the child pass the gate it waits at.</summary>
    public void Continue()
    {
        // The child may have failed before the gate: then its report says why, and EPIPE here says nothing more.
        byte go = 1;
        nint written = RawSyscall.Invoke(SystemCallNumbers.write, _sync.DangerousGetHandle(), (nint)(&go), 1);
        if (written != 1)
        {
            ThrowReport();
        }
    }

    /// <summary>Waits until the child says that it has come to a gate.</summary>
    /// <exception cref="Exception">The child failed on the way: the step's words.</exception>
    public void WaitFor()
    {
        byte ready = 0;
        Receive(&ready, sizeof(byte));
    }

    /// <summary>Waits until the child has its seccomp filter, and hands the descriptor for its calls to the listener.</summary>
    /// <param name="listener">Null: there is nothing to wait for.</param>
    /// <param name="container">What it is told of the container.</param>
    /// <exception cref="ContainerException">Nobody listens.</exception>
    public void TellListener(SeccompListener? listener, State container)
    {
        if (listener is null)
        {
            return;
        }

        int number = 0;
        Receive(&number, sizeof(int));
        nint copy = RawSyscall.Invoke(SystemCallNumbers.pidfd_getfd, PidFd.DangerousGetHandle(), number, 0);
        if (copy < 0)
        {
            throw new SyscallException("pidfd_getfd", "seccomp listener", (Errno)(-copy), null, "needs Linux 5.6 and CAP_SYS_PTRACE");
        }

        using (SafeFileHandle descriptor = new(copy, ownsHandle: true))
        {
            listener.Send(descriptor, Pid, container);
        }

        Continue();
    }

    private void Receive(void* message, int size)
    {
        nint n;
        do
        {
            n = RawSyscall.Invoke(SystemCallNumbers.read, _sync.DangerousGetHandle(), (nint)message, size);
        }
        while (n == -(int)Errno.EINTR);
        if (n != size)
        {
            ThrowReport();
        }
    }

    /// <summary>Passes the last gate and waits until execve has succeeded or failed.</summary>
    public void Release()
    {
        Continue();
        ReadReport();
    }

    /// <summary>For a plan with a Fork: waits for its first process and takes the one that goes on in its place.</summary>
    public void FollowFork()
    {
        Reap(Pid);
        int pid = _shared->Pid;
        if (pid == 0)
        {
            ThrowReport();
        }

        nint fd = RawSyscall.Invoke(SystemCallNumbers.pidfd_open, pid, 0);
        if (fd < 0)
        {
            throw new SyscallException("pidfd_open", $"process {pid}", (Errno)(-fd));
        }

        PidFd.Dispose();
        Pid = pid;
        PidFd = new SafeFileHandle((int)fd, ownsHandle: true);
    }

    /// <summary>Ends the child and reaps it; for undoing a start.</summary>
    public void Kill()
    {
        RawSyscall.Invoke(SystemCallNumbers.pidfd_send_signal, PidFd.DangerousGetHandle(), 9, 0, 0);
        Reap(Pid);
    }

    public void Dispose()
    {
        _report.Dispose();
        _sync.Dispose();
        PidFd.Dispose();
        _plan.Dispose();
        munmap(_shared, (nuint)sizeof(ChildShared));
    }

    /// <summary>Waits until execve has succeeded or failed, for a plan without gates.</summary>
    public void WaitForExecute() => ReadReport();

    /// <summary>Whether the child has told of a failure, or has ended: before its execve the pipe of its report says nothing else. What it is
    /// <see cref="WaitFor"/> throws.</summary>
    public bool HasFailed => Poll.Wait([new PollEntry(_report, PollEvents.Readable)], 0) > 0;

    private void ReadReport()
    {
        byte* message = stackalloc byte[sizeof(ulong) + HookPlace.TailBytes];
        nint n;
        do
        {
            n = RawSyscall.Invoke(SystemCallNumbers.read, _report.DangerousGetHandle(), (nint)message, sizeof(ulong) + HookPlace.TailBytes);
        }
        while (n == -(int)Errno.EINTR);
        if (n == 0)
        {
            return;
        }

        PlanStep step = _plan.Steps[*(int*)message];
        int failure = ((int*)message)[1];
        Reap(Pid);
        // SAFETY: the kernel has written n bytes into the buffer of this frame.
        throw step.Hook is { } hook
            ? hook.Failure(new HookOutcome(failure), new ReadOnlySpan<byte>(message + sizeof(ulong), (int)n - sizeof(ulong)))
            : _explain(step, (Errno)failure);
    }

    private void ThrowReport()
    {
        ReadReport();
        Reap(Pid);
        throw new ContainerException(
            ContainerFault.Engine, "the container's first process was killed while it was being set up (out of memory? see the limit given with --memory)");
    }

    private static void Reap(int pid)
    {
        int status = 0;
        while (RawSyscall.Invoke(SystemCallNumbers.wait4, pid, (nint)(&status), 0, 0) == -(int)Errno.EINTR)
        {
        }
    }

    private static ChildShared* MapShared()
    {
        // MAP_SHARED | MAP_ANONYMOUS: what a forked intermediate writes, the parent reads.
        ChildShared* shared = (ChildShared*)mmap(null, (nuint)sizeof(ChildShared), 3, 0x21, -1, 0);
        if ((nint)shared == -1)
        {
            throw SyscallException.Last("mmap", "shared memory of the child stage");
        }

        shared->ExitGroup = SystemCallNumbers.exit_group;
        shared->Write = SystemCallNumbers.write;
        shared->Wait4 = SystemCallNumbers.wait4;
        shared->Kill = SystemCallNumbers.kill;
        shared->SignalTimedWait = SystemCallNumbers.rt_sigtimedwait;
        shared->Prctl = SystemCallNumbers.prctl;
        shared->Clone = SystemCallNumbers.clone;
        shared->SetSession = SystemCallNumbers.setsid;
        shared->Duplicate = SystemCallNumbers.dup3;
        shared->SignalAction = SystemCallNumbers.rt_sigaction;
        shared->SignalMask = SystemCallNumbers.rt_sigprocmask;
        shared->Umask = SystemCallNumbers.umask;
        shared->Execute = SystemCallNumbers.execve;
        shared->Poll = SystemCallNumbers.ppoll;
        shared->Close = SystemCallNumbers.close;
        shared->Seek = SystemCallNumbers.lseek;
        shared->Read = SystemCallNumbers.read;
        return shared;
    }

    /// <summary>Fields 48 and 49 of proc_pid_stat(5): arg_start and arg_end.</summary>
    private static void FindCommandLine(ChildShared* shared)
    {
        ProcessStat stat = ProcessStat.ReadOwn();
        shared->CommandLine = (long)stat[48];
        shared->CommandLineLength = stat[48] == 0 ? 0 : (int)(stat[49] - stat[48]);
    }

    private static string? CloneHint(Errno errno) => errno switch
    {
        Errno.EPERM => "making namespaces needs CAP_SYS_ADMIN: run as root",
        Errno.EINVAL => "does this kernel have every namespace asked for? see /proc/self/ns",
        Errno.ENOSPC => "a limit of /proc/sys/user/max_*_namespaces is reached",
        Errno.EUSERS => "user namespaces are nested too deep, or user.max_user_namespaces is reached",
        Errno.EAGAIN => "the pids limit of the cgroup, or RLIMIT_NPROC, is reached",
        Errno.EBUSY => "the cgroup hands controllers to children of its own and can hold no process",
        _ => null,
    };

    private const int SignalChild = 17;

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);
}
