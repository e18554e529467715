using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Hooks;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The whole plan of a container's first process, read top to bottom: the order is the contract.</summary>
internal static class ContainerPlan
{
    public static void Build(InitPlan plan, ContainerRequest request, NamespacePlan namespaces, SafeFileHandle root, ResolvedUser user,
        ChildGates gates, HookPlan hooks, SeccompFilter? filter, int consoleSocket)
    {
        Spec spec = request.Spec;
        Process process = spec.Process ?? throw new ContainerException(ContainerFault.Engine, "process: the spec has no process");
        SelinuxRule.Check(process.SelinuxLabel, spec.Linux?.MountLabel, Selinux.IsEnabled);
        ProcessSetup payload = new(plan, process, user);
        bool ownUser = namespaces.MakesUser || namespaces.JoinsUser;
        RootfsSetup rootfs = new(plan, spec, root, gates, ownUser);

        ProcessSetup.AddFirst(plan);
        gates.AddFirst(plan);
        AddSelfAttach(plan, request.SelfAttach);
        AddOomScore(plan, process);
        if (!request.CallersKeyring)
        {
            SecurityLabels.AddKeys(plan, process);
        }

        payload.AddLimits();
        if (namespaces.MakesTime && namespaces.MakesUser)
        {
            TimeNamespacePlan.Add(plan, spec.Linux?.TimeOffsets);
        }

        if (namespaces.MakesUser)
        {
            gates.Wait(plan, "until the parent has written uid_map and gid_map");
            plan.Call("setresgid", SystemCallNumbers.setresgid, "gid 0", "root of the new user namespace", [0, 0, 0]);
            plan.Call("setresuid", SystemCallNumbers.setresuid, "uid 0", "root of the new user namespace", [0, 0, 0]);
        }

        namespaces.AddJoins(plan);
        if (namespaces.MakesCgroup)
        {
            plan.Call("unshare", SystemCallNumbers.unshare, "cgroup namespace", "our cgroup, in which we are, becomes the root that we see",
                [PlanArgument.Named((nint)CloneFlags.NewCgroup, "NewCgroup")]);
        }

        if (!request.CallersKeyring)
        {
            SessionKeyring.AddJoin(plan, request.Id, create: true, ownUser);
        }

        if (namespaces.MakesTime && !namespaces.MakesUser)
        {
            // After the joins: a user namespace among them is the new one's owner.
            TimeNamespacePlan.Add(plan, spec.Linux?.TimeOffsets);
        }

        AddNames(plan, spec);
        if ((namespaces.Made & CloneFlags.NewNetwork) != 0)
        {
            NetworkSetup.AddLoopback(plan);
        }

        rootfs.AttachRoot();
        rootfs.AddMounts(() => Hierarchies(request.CgroupHost ?? CgroupHost.Detect(), namespaces.HasCgroup ? null : request.CgroupPath ?? "/"));
        rootfs.AddDevices();
        if (process.Terminal == true)
        {
            rootfs.AddTerminal(consoleSocket, process.ConsoleSize?.Height ?? 0, process.ConsoleSize?.Width ?? 0, user.Uid, bindConsole: true);
        }
        else
        {
            payload.AddStreams(request.Streams);
        }

        // Before the root is made read-only: hooks put files into it.
        hooks.AddBeforePivot(gates);

        rootfs.AddSysctls();
        rootfs.AddReadOnlyPaths();
        rootfs.AddMaskedPaths();
        rootfs.AddWorkingDirectory(process.Cwd);
        SecurityLabels.AddExec(rootfs, process);
        rootfs.MakeRootReadOnly();
        rootfs.Pivot();
        PersonalityPlan.Add(plan, spec.Linux?.Personality);
        payload.AddIdentity(filter, gates, request.DieWithParent, () =>
        {
            gates.Tell(plan, "created: all is made, only the payload is missing");
            if (request.StartGate is { } fifo)
            {
                ChildGates.WaitOn(plan, PlanArgument.Named(fifo.DangerousGetHandle(), "exec.fifo"), "until another process starts the container");
                if (request.StartReport is { } report)
                {
                    AddReportTo(plan, report);
                }
            }
            else
            {
                gates.Wait(plan, "until the container is started");
            }
        });
        hooks.AddBeforePayload();
        if (request.Init)
        {
            // After the loss of rights: PID 1 has no more of them than the payload.
            AddInit(plan);
        }

        payload.AddExecute(request.PreserveFds);
    }

    /// <summary>What "/sys/fs/cgroup" shows on this host.</summary>
    /// <param name="hostPath">The container's cgroup where it is in the host's cgroup namespace: on v1 it sees that directory of each
    /// hierarchy, on v2 the whole tree, as with runc and docker.</param>
    internal static IReadOnlyList<CgroupHierarchyMount> Hierarchies(CgroupHost host, string? hostPath)
    {
        List<CgroupHierarchyMount> mounts = [];
        foreach (CgroupHierarchy hierarchy in host.Hierarchies)
        {
            string directory = hierarchy.MountPoint[(hierarchy.MountPoint.LastIndexOf('/') + 1)..];
            List<string> options = [];
            foreach (string controller in hierarchy.IsUnified ? [] : hierarchy.Controllers)
            {
                // A named hierarchy without controllers is selected by "none" and its name (cgroups(7)).
                options.AddRange(controller.StartsWith("name=", StringComparison.Ordinal) ? ["none", controller] : [controller]);
            }

            IReadOnlyList<string> aliases = hierarchy.IsUnified || hierarchy.Controllers.Count < 2
                ? []
                : [.. hierarchy.Controllers.Where(c => c != directory && !c.Contains('=', StringComparison.Ordinal))];
            string? shown = hostPath is null ? null : host.Layout == CgroupLayout.Unified ? hierarchy.MountPoint : hierarchy.MountPoint + hostPath;
            mounts.Add(new CgroupHierarchyMount(directory, options, aliases, hierarchy.IsUnified, shown));
        }

        return mounts;
    }

    /// <summary>Into the cgroups of each v1 hierarchy.</summary>
    internal static void AddSelfAttach(InitPlan plan, IReadOnlyList<SafeFileHandle> files)
    {
        foreach (SafeFileHandle tasks in files)
        {
            plan.Call("write", SystemCallNumbers.write, "tasks", "into our cgroup; a thread that moves itself need not wait for the kernel's grace period",
                [PlanArgument.Named(tasks.DangerousGetHandle(), "tasks"), "0", 1]);
        }
    }

    private static void AddNames(InitPlan plan, Spec spec)
    {
        if (spec.Hostname is { Length: > 0 } host)
        {
            plan.Call("sethostname", SystemCallNumbers.sethostname, host, "the name of our uts namespace", [host, System.Text.Encoding.UTF8.GetByteCount(host)],
                hint: "a host name has at most 64 bytes, and setting it needs a uts namespace");
        }

        if (spec.Domainname is { Length: > 0 } domain)
        {
            plan.Call("setdomainname", SystemCallNumbers.setdomainname, domain, "the NIS domain of our uts namespace", [domain, System.Text.Encoding.UTF8.GetByteCount(domain)]);
        }
    }

    private static unsafe void AddOomScore(InitPlan plan, Process process)
    {
        if (process.OomScoreAdj is not { } score)
        {
            return;
        }

        Slot file = plan.CallInto("openat", SystemCallNumbers.openat, "/proc/self/oom_score_adj", "the host's procfs, while we see it",
            [Files.AtCurrentDirectory, "/proc/self/oom_score_adj", 1 | 0x80000]);
        string text = score.ToString(System.Globalization.CultureInfo.InvariantCulture);
        plan.Call("write", SystemCallNumbers.write, $"oom_score_adj {text}", "how soon the kernel picks us when memory runs out",
            [file, PlanArgument.Memory(plan.AllocateText(text), $"\"{text}\""), text.Length],
            hint: "lowering oom_score_adj needs CAP_SYS_RESOURCE, which this host's root does not have");
        plan.Call("close", SystemCallNumbers.close, "oom_score_adj", "done with it", [file]);
    }

    private static void AddReportTo(InitPlan plan, SafeFileHandle report) => plan.Add(new PlanStep
    {
        Kind = StepKind.ReportTo,
        Call = "report",
        Number = 0,
        Target = "start.fifo",
        Why = "who started the container hears of a failure; who made it is gone",
        Arguments = [PlanArgument.Named(report.DangerousGetHandle(), "start.fifo")],
    });

    private static void AddInit(InitPlan plan)
    {
        plan.Add(new PlanStep
        {
            Kind = StepKind.ForkPayload,
            Call = "clone",
            Number = SystemCallNumbers.clone,
            Target = "payload",
            Why = "PID 1 stays behind as init: it reaps orphans and forwards signals",
            Arguments = [PlanArgument.Named(17, "SIGCHLD")],
        });
    }
}
