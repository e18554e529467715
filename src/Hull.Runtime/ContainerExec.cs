using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>Starts a process inside a running container.</summary>
/// <remarks>
/// A pid namespace is joined by being born in it, so there are two clones: the first child joins the namespaces and makes the
/// second with CLONE_PARENT, which makes that one our child, not the first's; the first ends at once.
/// <code>
/// caller ── clone3 ──► first: cgroup, setns, clone(CLONE_PARENT) ──► exits
///   └───────────────── payload: terminal, identity, filter, execve
/// </code>
/// For single-threaded processes only: it clones (design, section 4).
/// </remarks>
public static unsafe class ContainerExec
{
    private const CloneFlags Joined = CloneFlags.NewMount | CloneFlags.NewPid | CloneFlags.NewNetwork | CloneFlags.NewIpc | CloneFlags.NewUts | CloneFlags.NewCgroup;

    /// <summary>Returns when execve has succeeded. The process is the caller's child.</summary>
    /// <exception cref="ContainerException">What failed and what to do; nothing is left behind.</exception>
    public static RunningContainer Start(ExecRequest request)
    {
        try
        {
            return StartIn(request);
        }
        catch (ContainerException error) when (request.InitCgroup is not null
            && error.InnerException is SyscallException { Operation: "clone3", Errno: Errno.EBUSY or Errno.EOPNOTSUPP })
        {
            // cgroups(7), "no internal processes": the container has given controllers to cgroups of its own below this one, and
            // has moved there. As with runc, a further process goes where its first one is.
            using SafeFileHandle cgroup = request.InitCgroup();
            return StartIn(request with { CloneIntoCgroup = cgroup });
        }
    }

    private static RunningContainer StartIn(ExecRequest request)
    {
        InitPlan plan = new();
        StartedChild? child = null;
        try
        {
            SafeFileHandle root = OpenRoot(request.InitPid);
            plan.Own(root, "root");
            ResolvedUser user = request.ResolveUser?.Invoke(root)
                ?? new ResolvedUser(request.Process.User?.Uid ?? 0, request.Process.User?.Gid ?? 0, request.Process.User?.AdditionalGids ?? []);
            ChildGates gates = new(plan);
            (SafeFileHandle First, SafeFileHandle Second)? console = null;
            if (request.Process.Terminal == true && request.ConsoleSocket is null)
            {
                console = UnixSockets.Pair();
                plan.Own(console.Value.Second, "console socket");
            }

            SafeFileHandle? consoleSocket = request.ConsoleSocket ?? console?.Second;
            Build(plan, request, user, gates, consoleSocket is null ? -1 : (int)consoleSocket.DangerousGetHandle());
            using AffinityScope? initial = InitialAffinity(request.Process);
            child = StartedChild.Clone(plan, CloneFlags.ClearSignalHandlers, request.CloneIntoCgroup, gates,
                (step, errno) => StepFailure.Explain(step, errno, new ContainerFiles(root, mounts: null), request.Process));
            child.FollowFork();
            child.TellListener(request.Filter?.Listener, request.Container);
            child.WaitForExecute();
            RunningContainer process = new(child, console is null ? null : ContainerLauncher.ReceiveTerminal(console.Value.First));
            console?.First.Dispose();
            return process;
        }
        catch (SyscallException error)
        {
            Discard(child, plan);
            throw new ContainerException(ContainerFault.Engine, error.Message, error);
        }
        catch
        {
            Discard(child, plan);
            throw;
        }
    }

    /// <summary>"Before the transition to the container's cgroup" (config.md, execCPUAffinity): on v2 the child is born in it, so that
    /// its parent must be on these processors already.</summary>
    private static AffinityScope? InitialAffinity(Process process) => process.ExecCPUAffinity?.Initial is { Length: > 0 } list
        ? new AffinityScope(CpuList.Parse(list, "process.execCPUAffinity.initial").ToMask(), $"processors {list}")
        : null;

    private static void Build(InitPlan plan, ExecRequest request, ResolvedUser user, ChildGates gates, int consoleSocket)
    {
        SelinuxRule.Check(request.Process.SelinuxLabel, mountLabel: null, Selinux.IsEnabled);
        ProcessSetup payload = new(plan, request.Process, user);
        ProcessSetup.AddFirst(plan);
        ContainerPlan.AddSelfAttach(plan, request.SelfAttach);
        SchedulingPlan.AddFinalAffinity(plan, request.Process);
        payload.AddLimits();
        if (!request.CallersKeyring)
        {
            SecurityLabels.AddKeys(plan, request.Process);
        }

        CloneFlags flags = Joined | (request.UserNamespace ? CloneFlags.NewUser : 0) | (HasOwnClocks(request.InitPid) ? CloneFlags.NewTime : 0);
        plan.Call("setns", SystemCallNumbers.setns, "container", "every namespace of the container's first process, in one step",
            [PlanArgument.Named(request.InitPidFd.DangerousGetHandle(), "pidfd"), PlanArgument.Named((nint)flags, flags)],
            hint: "the container has ended, or this kernel is older than 5.8");
        if (request.UserNamespace)
        {
            plan.Call("setresgid", SystemCallNumbers.setresgid, "gid 0", "root of the container's user namespace", [0, 0, 0]);
            plan.Call("setresuid", SystemCallNumbers.setresuid, "uid 0", "root of the container's user namespace", [0, 0, 0]);
        }

        if (!request.CallersKeyring)
        {
            SessionKeyring.AddJoin(plan, request.Id, create: false, request.UserNamespace);
        }

        // Nobody in the container sees us yet: setns gives the pid namespace to children only. The payload is born with
        // nothing of the host in its hands.
        if (request.Process.Terminal != true)
        {
            payload.AddStreams(request.Streams);
        }

        plan.CloseAllBut(
        [
            .. consoleSocket >= 0 ? [consoleSocket] : Array.Empty<int>(),
            .. request.Filter?.Listener is null ? Array.Empty<int>() : [gates.ChildEnd],
            .. Enumerable.Range(3, request.PreserveFds),
        ]);
        plan.Add(new PlanStep
        {
            Kind = StepKind.Fork,
            Call = "clone",
            Number = SystemCallNumbers.clone,
            Target = "payload",
            Why = "born in the container's pid namespace, as the caller's child",
            Arguments = [PlanArgument.Named((nint)CloneFlags.Parent | 17, "PARENT|SIGCHLD")],
            Hint = "the container has ended, or its pids limit is reached",
        });
        plan.Call("setsid", SystemCallNumbers.setsid, "session", "a session of its own", []);
        if (request.Process.Terminal == true)
        {
            AddTerminal(plan, request.Process, consoleSocket, user);
        }

        SecurityLabels.AddExec(plan, request.Process);
        PersonalityPlan.Add(plan, request.Personality);
        payload.AddIdentity(request.Filter, gates, request.DieWithParent, static () => { });
        payload.AddExecute(request.PreserveFds);
    }

    /// <summary>Asked, for a kernel without time namespaces (before Linux 5.6) refuses the flag.</summary>
    private static bool HasOwnClocks(int pid) =>
        Files.TryReadLink(null, $"/proc/{pid}/ns/time", out _) is { } theirs && theirs != Files.TryReadLink(null, "/proc/self/ns/time", out _);

    private static void AddTerminal(InitPlan plan, Process process, int consoleSocket, ResolvedUser user)
    {
        Files.OpenHow* how = plan.Allocate(new Files.OpenHow { Flags = 2 | 0x100 | 0x80000, Resolve = (ulong)(ResolveFlags.NoSymlinks | ResolveFlags.NoMagicLinks) });
        Slot master = plan.CallInto("openat2", SystemCallNumbers.openat2, "/dev/pts/ptmx", "a terminal of the container's own devpts",
            [Files.AtCurrentDirectory, "/dev/pts/ptmx", PlanArgument.Memory(how, "no links"), sizeof(Files.OpenHow)],
            hint: "the container has no devpts at /dev/pts");
        VerifyDevice(plan, master, 5, 2);
        RootfsSetup.AddTerminal(plan, master, consoleSocket, process.ConsoleSize?.Height ?? 0, process.ConsoleSize?.Width ?? 0, user.Uid, static _ => { });
    }

    private static void VerifyDevice(InitPlan plan, Slot file, uint major, uint minor)
    {
        Files.Statx* metadata = plan.Allocate(default(Files.Statx));
        plan.Call("statx", SystemCallNumbers.statx, "/dev/pts/ptmx", "is it the terminal multiplexer?",
            [file, "", Files.AtEmptyPath, 0x7ff, PlanArgument.Memory(metadata, "statx")]);
        plan.Verify(&metadata->RdevMajor, major, "/dev/pts/ptmx", "the container may have put something else there", Errno.ENODEV);
        plan.Verify(&metadata->RdevMinor, minor, "/dev/pts/ptmx", "the container may have put something else there", Errno.ENODEV);
    }

    private static SafeFileHandle OpenRoot(int pid)
    {
        try
        {
            return Files.Open($"/proc/{pid}/root", OpenFlags.Path | OpenFlags.Directory);
        }
        catch (SyscallException error) when (error.Errno == Errno.ENOENT)
        {
            throw new ContainerException(ContainerFault.Engine, "the container has ended", error);
        }
    }

    private static void Discard(StartedChild? child, InitPlan plan)
    {
        if (child is null)
        {
            plan.Dispose();
            return;
        }

        child.Kill();
        child.Dispose();
    }
}
