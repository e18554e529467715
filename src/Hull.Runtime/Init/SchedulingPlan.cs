using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Init;

/// <summary>Plans when the payload gets processor and disk: process.scheduler, ioPriority and execCPUAffinity of a spec.</summary>
internal static unsafe class SchedulingPlan
{
    /// <summary>Policies by their numbers, include/uapi/linux/sched.h.</summary>
    private static readonly string[] Policies = ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    /// <summary>SCHED_FLAG_…, each the bit of its place, from the same header.</summary>
    private static readonly string[] Flags =
    [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
        "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ];

    /// <summary>Classes by their numbers, ioprio_set(2); 0 is "none", which a spec cannot ask for.</summary>
    private static readonly string[] IoClasses = ["", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

    private const int IoWhoProcess = 1;
    private const int IoClassShift = 13;

    /// <summary>Scheduler and I/O priority; in the container's cgroup, whose realtime budget counts, and with CAP_SYS_NICE still there.</summary>
    public static void Add(InitPlan plan, Process process)
    {
        if (process.Scheduler is { } scheduler)
        {
            AddScheduler(plan, scheduler);
        }

        if (process.IoPriority is { } priority)
        {
            AddIoPriority(plan, priority);
        }
    }

    /// <summary>The processors of a further process, once it is in the container's cgroup.</summary>
    public static void AddFinalAffinity(InitPlan plan, Process process)
    {
        if (process.ExecCPUAffinity?.Final is { Length: > 0 } list)
        {
            byte[] mask = CpuList.Parse(list, "process.execCPUAffinity.final").ToMask();
            plan.Call("sched_setaffinity", SystemCallNumbers.sched_setaffinity, $"processors {list}", "where the spec lets a further process run",
                [0, mask.Length, PlanArgument.Memory(plan.AllocateBytes(mask), list)],
                hint: "does the container's cpuset have one of these processors?");
        }
    }

    private static void AddScheduler(InitPlan plan, Scheduler scheduler)
    {
        int policy = Array.IndexOf(Policies, scheduler.Policy);
        ulong flags = 0;
        foreach (string word in scheduler.Flags ?? [])
        {
            int bit = Array.IndexOf(Flags, word);
            Refuse(bit < 0, $"flags: '{word}' is not a flag of sched_setattr(2)");
            flags |= 1UL << bit;
        }

        // The rules of sched(7), which the kernel answers with a bare EINVAL.
        bool realtime = scheduler.Policy is "SCHED_FIFO" or "SCHED_RR";
        bool hasDeadline = scheduler.Runtime is > 0 || scheduler.Deadline is > 0 || scheduler.Period is > 0;
        Refuse(policy < 0, $"policy: '{scheduler.Policy}' is not one of {string.Join(", ", Policies)}");
        Refuse(scheduler.Nice is < -20 or > 19, $"nice: {scheduler.Nice} is not from -20 to 19");
        Refuse(realtime && scheduler.Priority is not (>= 1 and <= 99), $"priority: {scheduler.Policy} wants one from 1 to 99");
        Refuse(!realtime && scheduler.Priority is not (null or 0), "priority: only SCHED_FIFO and SCHED_RR have one");
        Refuse(hasDeadline && scheduler.Policy != "SCHED_DEADLINE", "runtime, deadline and period: only SCHED_DEADLINE has them");
        SchedulingAttributes* attributes = plan.Allocate(new SchedulingAttributes
        {
            Size = (uint)sizeof(SchedulingAttributes),
            Policy = (uint)policy,
            Flags = flags,
            Nice = scheduler.Nice ?? 0,
            Priority = (uint)(scheduler.Priority ?? 0),
            Runtime = scheduler.Runtime ?? 0,
            Deadline = scheduler.Deadline ?? 0,
            Period = scheduler.Period ?? 0,
        });
        plan.Call("sched_setattr", SystemCallNumbers.sched_setattr, scheduler.Policy, "how the payload gets processor time",
            [0, PlanArgument.Memory(attributes, $"nice={attributes->Nice} priority={attributes->Priority}"), 0],
            hint: "realtime, deadline and a negative nice need CAP_SYS_NICE on the host, and on cgroup v1 a cpu.rt_runtime_us of the container's cgroup");
    }

    private static void AddIoPriority(InitPlan plan, IoPriority priority)
    {
        int number = Array.IndexOf(IoClasses, priority.Class);
        int level = priority.Priority ?? 0;
        if (number < 1 || level is < 0 or > 7)
        {
            throw new ContainerException(ContainerFault.Engine, number < 1
                ? $"process.ioPriority.class: '{priority.Class}' is not one of {string.Join(", ", IoClasses[1..])}"
                : $"process.ioPriority.priority: {level} is not from 0 to 7");
        }

        plan.Call("ioprio_set", SystemCallNumbers.ioprio_set, $"{priority.Class} {level}", "how the payload gets the disk",
            [IoWhoProcess, 0, PlanArgument.Named((number << IoClassShift) | level, priority.Class)],
            hint: "IOPRIO_CLASS_RT needs CAP_SYS_ADMIN or CAP_SYS_NICE on the host");
    }

    private static void Refuse(bool wrong, string why)
    {
        if (wrong)
        {
            throw new ContainerException(ContainerFault.Engine, $"process.scheduler.{why}");
        }
    }

    /// <summary>struct sched_attr in its first form, 48 bytes (include/uapi/linux/sched/types.h); times in nanoseconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SchedulingAttributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
