using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Init;

namespace Hull.Runtime.Tests.Init;

public sealed class SchedulingPlanTests
{
    private static readonly Process Plain = new() { Cwd = "/" };

    [Fact]
    public void Add_SchedulerAndIoPriority_AreOneCallEach() => Assert.Equal(
        ["sched_setattr(0, &nice=0 priority=7, 0)", "ioprio_set(1, 0, IOPRIO_CLASS_BE)"],
        Steps(Plain with
        {
            Scheduler = new Scheduler { Policy = "SCHED_RR", Priority = 7, Flags = ["SCHED_FLAG_RESET_ON_FORK"] },
            IoPriority = new IoPriority { Class = "IOPRIO_CLASS_BE", Priority = 3 },
        }));

    [Fact]
    public void Add_Nothing_CostsNoStep() => Assert.Empty(Steps(Plain with { ExecCPUAffinity = new CpuAffinity { Final = "0" } }));

    [Theory]
    [InlineData("SCHED_NONE", null, null, null, null, "process.scheduler.policy: 'SCHED_NONE' is not one of SCHED_OTHER")]
    [InlineData("SCHED_OTHER", 20, null, null, null, "process.scheduler.nice: 20 is not from -20 to 19")]
    [InlineData("SCHED_FIFO", null, null, null, null, "process.scheduler.priority: SCHED_FIFO wants one from 1 to 99")]
    [InlineData("SCHED_BATCH", null, 5, null, null, "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one")]
    [InlineData("SCHED_OTHER", null, null, "SCHED_FLAG_X", null, "process.scheduler.flags: 'SCHED_FLAG_X' is not a flag")]
    [InlineData("SCHED_FIFO", null, 5, null, 1000UL, "process.scheduler.runtime, deadline and period: only SCHED_DEADLINE has them")]
    public void Add_WrongScheduler_IsRefusedWithItsRule(string policy, int? nice, int? priority, string? flag, ulong? runtime, string expected)
    {
        Scheduler scheduler = new() { Policy = policy, Nice = nice, Priority = priority, Flags = flag is null ? null : [flag], Runtime = runtime };

        Assert.StartsWith(expected, Assert.Throws<ContainerException>(() => Steps(Plain with { Scheduler = scheduler })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("IOPRIO_CLASS_NONE", 0, "process.ioPriority.class: 'IOPRIO_CLASS_NONE' is not one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE")]
    [InlineData("IOPRIO_CLASS_BE", 8, "process.ioPriority.priority: 8 is not from 0 to 7")]
    public void Add_WrongIoPriority_IsRefused(string name, int priority, string expected) => Assert.Equal(
        expected,
        Assert.Throws<ContainerException>(() => Steps(Plain with { IoPriority = new IoPriority { Class = name, Priority = priority } })).Message);

    [Theory]
    [InlineData("0", "0100000000000000")]
    [InlineData("0-3,7", "8f00000000000000")]
    [InlineData("64", "00000000000000000100000000000000")]
    public void ToMask_List_IsABitAProcessor(string list, string mask) => Assert.Equal(mask, Convert.ToHexStringLower(CpuList.Parse(list, "x").ToMask()));

    private static IEnumerable<string> Steps(Process process)
    {
        using InitPlan plan = new();
        SchedulingPlan.Add(plan, process);
        return [.. plan.Steps.Select(step => step.ToString())];
    }
}
