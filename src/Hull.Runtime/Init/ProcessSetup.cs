using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Plans what turns the child into the payload: limits, identity, capabilities, seccomp, directory, execve.</summary>
/// <remarks>Shared by the first process of a container and by exec. The order matters: rights are given up step by step, each
/// while the right to give it up is still there.</remarks>
internal sealed unsafe class ProcessSetup
{
    private const int SetSecurity = 8; // PR_SET_KEEPCAPS
    private const int DropBounding = 24;
    private const int SetNoNewPrivileges = 38;
    private const int Ambient = 47;
    private const int SetDeathSignal = 1;
    private const int SetDumpable = 4;

    /// <summary>Resources in the order of their numbers (include/uapi/asm-generic/resource.h).</summary>
    private static readonly string[] Rlimits =
    [
        "RLIMIT_CPU",
        "RLIMIT_FSIZE",
        "RLIMIT_DATA",
        "RLIMIT_STACK",
        "RLIMIT_CORE",
        "RLIMIT_RSS",
        "RLIMIT_NPROC",
        "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK",
        "RLIMIT_AS",
        "RLIMIT_LOCKS",
        "RLIMIT_SIGPENDING",
        "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE",
        "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME",
    ];

    private const string OpenFiles = "RLIMIT_NOFILE";

    private readonly InitPlan _plan;
    private readonly Process _process;
    private readonly ResolvedUser _user;

    public ProcessSetup(InitPlan plan, Process process, ResolvedUser user)
    {
        _plan = plan;
        _process = process;
        _user = user;
    }

    /// <summary>First steps of any child: nothing of the container may look into us, and files get the modes we name.</summary>
    public static void AddFirst(InitPlan plan)
    {
        // Until execve our memory and /proc/PID/fd show the parent's: CVE-2016-9962.
        plan.Call("prctl", SystemCallNumbers.prctl, "PR_SET_DUMPABLE", "no process of the container may trace or inspect us before execve", [SetDumpable, 0]);
        plan.Call("setsid", SystemCallNumbers.setsid, "session", "a session and process group of our own", [], [Errno.EPERM]);
        plan.Call("umask", SystemCallNumbers.umask, "umask", "modes below are meant as written", [0]);
    }

    /// <summary>Standard streams other than a terminal.</summary>
    public void AddStreams(StandardStreams? streams)
    {
        if (streams is null)
        {
            return;
        }

        (Microsoft.Win32.SafeHandles.SafeFileHandle Handle, string Name)[] all =
            [(streams.Input, "stdin"), (streams.Output, "stdout"), (streams.Error, "stderr")];
        for (int fd = 0; fd < 3; fd++)
        {
            nint from = all[fd].Handle.DangerousGetHandle();
            if (from != fd)
            {
                _plan.Call("dup3", SystemCallNumbers.dup3, all[fd].Name, "the payload's standard stream", [from, fd, 0]);
            }

            FileMetadata metadata = Files.Stat(all[fd].Handle, all[fd].Name);
            if (_user.Uid != 0 && metadata.Type is FileType.Fifo or FileType.Socket && metadata.UserId == 0)
            {
                // EPERM, EINVAL, EROFS: a stream of another user namespace or file system; opening /dev/stdout by name then fails, using it does not.
                _plan.Call("fchownat", SystemCallNumbers.fchownat, all[fd].Name, "the user may open /dev/stdout by name",
                    [fd, "", _user.Uid, uint.MaxValue, Files.AtEmptyPath], [Errno.EPERM, Errno.EINVAL, Errno.EROFS]);
            }
        }
    }

    /// <summary>Resource limits but that on open files; early, while raising is allowed and what we use counts against them.</summary>
    public void AddLimits()
    {
        foreach (Rlimit limit in _process.Rlimits ?? [])
        {
            if (limit.Type != OpenFiles)
            {
                AddLimit(limit);
            }
        }
    }

    private void AddLimit(Rlimit limit)
    {
        int number = Array.IndexOf(Rlimits, limit.Type);
        if (number < 0)
        {
            throw new ContainerException(ContainerFault.Engine, $"process.rlimits: '{limit.Type}' is not a resource of setrlimit(2)");
        }

        ulong* pair = (ulong*)_plan.Allocate(16);
        pair[0] = limit.Soft;
        pair[1] = limit.Hard;
        _plan.Call("prlimit64", SystemCallNumbers.prlimit64, limit.Type, "a limit the spec asks for",
            [0, number, PlanArgument.Memory(pair, $"{limit.Soft}:{limit.Hard}"), 0],
            hint: "raising a hard limit needs CAP_SYS_RESOURCE, which this host's root does not have; ask for at most the current hard limit (ulimit -H)");
    }

    /// <summary>Identity and rights, the current directory, and the filter; then nothing but execve is left.</summary>
    /// <param name="filter">Compiled seccomp program, or null.</param>
    /// <param name="gates">Over which the parent takes the descriptor for a listener.</param>
    /// <param name="beforeExecute">Steps between the loss of rights and execve: the gate to the parent.</param>
    public void AddIdentity(SeccompFilter? filter, ChildGates gates, bool dieWithParent, Action beforeExecute)
    {
        bool noNewPrivileges = _process.NoNewPrivileges == true;
        if (noNewPrivileges)
        {
            _plan.Call("prctl", SystemCallNumbers.prctl, "PR_SET_NO_NEW_PRIVS", "setuid programs and file capabilities give nothing", [SetNoNewPrivileges, 1, 0, 0, 0]);
        }

        foreach (Rlimit limit in _process.Rlimits ?? [])
        {
            if (limit.Type == OpenFiles)
            {
                // Last: the steps before hold more descriptors than a low limit lets anyone open.
                AddLimit(limit);
            }
        }

        SchedulingPlan.Add(_plan, _process);
        AddBoundingSet();
        _plan.Call("prctl", SystemCallNumbers.prctl, "PR_SET_KEEPCAPS", "capabilities survive the change of user, until capset below", [SetSecurity, 1, 0, 0, 0]);
        if (filter is not null && !noNewPrivileges)
        {
            // Without no_new_privs the kernel wants CAP_SYS_ADMIN in effect, which a user other than root loses with setresuid
            // (keepcaps keeps the permitted set alone). So a profile must allow the few calls that follow, as with runc.
            AddFilter(filter, gates);
        }

        AddUser();
        AddCapabilities();
        _plan.Call("umask", SystemCallNumbers.umask, "umask", "the payload's mask", [_process.User?.Umask ?? 0x12u]);
        _plan.Call("chdir", SystemCallNumbers.chdir, _process.Cwd, "as the user: a directory the user may not enter is an error", [_process.Cwd],
            hint: "the working directory must exist in the image or be creatable, and the user must be allowed to enter it");
        AddDirectoryCheck();
        if (dieWithParent)
        {
            // Cleared by every change of credentials (prctl(2)), hence here.
            _plan.Call("prctl", SystemCallNumbers.prctl, "PR_SET_PDEATHSIG", "no container outlives its monitor untold", [SetDeathSignal, 9, 0, 0, 0]);
        }

        // As late as can be, so that few of our own calls are subject to it; but the process that hands the descriptor of a
        // listener on is the one that creates the container.
        bool early = filter?.Listener is not null;
        if (filter is not null && noNewPrivileges && early)
        {
            AddFilter(filter, gates);
        }

        beforeExecute();
        if (filter is not null && noNewPrivileges && !early)
        {
            AddFilter(filter, gates);
        }
    }

    /// <summary>Closes what is ours, resets signals, executes: one execve a directory of PATH.</summary>
    public void AddExecute(int preserveFds)
    {
        ResetSignals();
        _plan.Call("close_range", SystemCallNumbers.close_range, $"fd {3 + preserveFds} and above", "no descriptor of the host reaches the payload (CVE-2024-21626)",
            [3 + preserveFds, uint.MaxValue, PlanArgument.Named(4, "CLOEXEC")]);
        IReadOnlyList<string> args = _process.Args is { Count: > 0 } given
            ? given
            : throw new ContainerException(ContainerFault.Engine, "no command specified: give one after the image, or use an image that has a CMD or ENTRYPOINT");
        byte** argv = _plan.AllocateTexts(args);
        byte** envp = _plan.AllocateTexts(_process.Env ?? []);
        IReadOnlyList<string> candidates = ExecutableSearch.Candidates(args[0], _process.Env);
        foreach (string candidate in candidates)
        {
            // execvp(3): a name that is missing or not permitted in one directory is looked for in the next.
            ReadOnlySpan<Errno> next = candidate == candidates[^1] ? [] : [Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES];
            _plan.Call("execve", SystemCallNumbers.execve, candidate, "the payload",
                [candidate, PlanArgument.Memory(argv, "argv"), PlanArgument.Memory(envp, "envp")], next);
        }
    }

    private void AddBoundingSet()
    {
        ulong keep = Mask(_process.Capabilities?.Bounding);
        for (int capability = 0; capability < 64; capability++)
        {
            if ((keep & (1UL << capability)) == 0)
            {
                string name = CapabilitySet.Name(capability);
                _plan.Call("prctl", SystemCallNumbers.prctl, name, "no program can ever gain it here", [DropBounding, PlanArgument.Named(capability, name), 0, 0, 0],
                    // EINVAL: this kernel has no capability of that number.
                    [Errno.EINVAL]);
            }
        }
    }

    private void AddUser()
    {
        uint* groups = (uint*)_plan.Allocate(Math.Max(sizeof(uint) * _user.AdditionalGids.Count, 4));
        for (int i = 0; i < _user.AdditionalGids.Count; i++)
        {
            groups[i] = _user.AdditionalGids[i];
        }

        _plan.Call("setgroups", SystemCallNumbers.setgroups, "groups", "the host's groups go, the user's come (CVE-2022-36109)",
            [_user.AdditionalGids.Count, PlanArgument.Memory(groups, string.Join(' ', _user.AdditionalGids))],
            // EPERM: a user namespace with setgroups denied has no groups to give.
            _user.AdditionalGids.Count == 0 ? [Errno.EPERM] : []);
        _plan.Call("setresgid", SystemCallNumbers.setresgid, $"gid {_user.Gid}", "the payload's group", [_user.Gid, _user.Gid, _user.Gid],
            hint: "is the group mapped in the user namespace?");
        _plan.Call("setresuid", SystemCallNumbers.setresuid, $"uid {_user.Uid}", "the payload's user", [_user.Uid, _user.Uid, _user.Uid],
            hint: "is the user mapped in the user namespace?");
    }

    private void AddCapabilities()
    {
        // A user other than root that is given no ambient capability loses permitted and effective at execve anyway; what the
        // spec says is set exactly, so that exec and run agree. Inheritable as the spec says: docker's and ours are empty.
        ulong effective = Mask(_process.Capabilities?.Effective);
        ulong permitted = Mask(_process.Capabilities?.Permitted);
        ulong inheritable = Mask(_process.Capabilities?.Inheritable);
        CapabilityHeader* header = _plan.Allocate(new CapabilityHeader { Version = 0x20080522 });
        uint* data = (uint*)_plan.Allocate(24);
        (data[0], data[1], data[2]) = ((uint)effective, (uint)permitted, (uint)inheritable);
        (data[3], data[4], data[5]) = ((uint)(effective >> 32), (uint)(permitted >> 32), (uint)(inheritable >> 32));
        _plan.Call("capset", SystemCallNumbers.capset, "capabilities", "exactly what the spec lists",
            [PlanArgument.Memory(header, "v3"), PlanArgument.Memory(data, $"effective={effective:x} permitted={permitted:x} inheritable={inheritable:x}")],
            hint: "a capability that this process does not have itself cannot be given to a container");
        _plan.Call("prctl", SystemCallNumbers.prctl, "PR_CAP_AMBIENT_CLEAR_ALL", "none is passed on across execve by itself", [Ambient, 4, 0, 0, 0]);
        foreach (string name in _process.Capabilities?.Ambient ?? [])
        {
            if (CapabilitySet.TryNumber(name, out int number))
            {
                // EPERM: runc warns and goes on where a capability is ambient but not inheritable; so do we.
                _plan.Call("prctl", SystemCallNumbers.prctl, $"ambient {name}", "the spec lists it", [Ambient, 2, PlanArgument.Named(number, name), 0, 0], [Errno.EPERM]);
            }
        }
    }

    private void AddFilter(SeccompFilter filter, ChildGates gates)
    {
        byte* program = _plan.AllocateBytes(filter.Program);
        SockProgram* header = _plan.Allocate(new SockProgram { Length = (ushort)(filter.Program.Length / 8), Filter = (nint)program });
        Slot listener = _plan.CallInto("seccomp", SystemCallNumbers.seccomp, $"{filter.Program.Length / 8} instructions", "from here on only the profile's system calls",
            [1, filter.Flags, PlanArgument.Memory(header, "filter")], hint: "does this kernel have CONFIG_SECCOMP_FILTER, and the flags of linux.seccomp?");
        if (filter.Listener is not null)
        {
            gates.Hand(_plan, listener, "seccomp listener");
        }
    }

    /// <summary>The working directory must be reachable from the root: a descriptor of the host that was leaked to us would
    /// give "(unreachable)…" (CVE-2024-21626).</summary>
    private void AddDirectoryCheck()
    {
        uint* buffer = (uint*)_plan.Allocate(4096);
        _plan.Call("getcwd", SystemCallNumbers.getcwd, _process.Cwd, "where are we really?", [PlanArgument.Memory(buffer, "path"), 4096]);
        _plan.Verify(buffer, '/', _process.Cwd, "a directory outside the root reads as (unreachable) (CVE-2024-21626)", Errno.EACCES, mask: 0xff);
    }

    private void ResetSignals()
    {
        // Ignored signals stay ignored across execve (signal(7)): .NET ignores SIGPIPE, a shell may have ignored SIGINT for us.
        byte* standard = (byte*)_plan.Allocate(32);
        for (int signal = 1; signal < 32; signal++)
        {
            if (signal is not (9 or 19))
            {
                _plan.Call("rt_sigaction", SystemCallNumbers.rt_sigaction, $"signal {signal}", "back to its default", [signal, PlanArgument.Memory(standard, "SIG_DFL"), 0, 8]);
            }
        }

        ulong* none = _plan.Allocate(0UL);
        _plan.Call("rt_sigprocmask", SystemCallNumbers.rt_sigprocmask, "signals", "deliverable again", [2, PlanArgument.Memory(none, "none"), 0, 8]);
    }

    private static ulong Mask(IReadOnlyList<string>? names)
    {
        ulong mask = 0;
        foreach (string name in names ?? [])
        {
            // runc's rule: a capability this version does not know is left out; giving less is safe.
            if (CapabilitySet.TryNumber(name, out int number))
            {
                mask |= 1UL << number;
            }
        }

        return mask;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CapabilityHeader
    {
        public uint Version;
        public int Pid;
    }

    /// <summary>struct sock_fprog (include/uapi/linux/filter.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SockProgram
    {
        public ushort Length;
        public nint Filter;
    }
}
