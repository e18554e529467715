using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>What a config.json says of the payload's scheduling, clocks and personality.</summary>
public sealed class ProcessSettingTests(HullStore store) : KernelTest(store)
{
    private Bundle With(string script, string member, string json)
    {
        Bundle bundle = new(Store, script);
        bundle.Config["process"]![member] = JsonNode.Parse(json);
        return bundle;
    }

    [KernelFact(Needs.Root)]
    public void Run_Scheduler_IsThePayloads()
    {
        // proc_pid_stat(5): nice is field 19, policy field 41, SCHED_BATCH number 3.
        string[] fields = With("cat /proc/self/stat", "scheduler", """{"policy":"SCHED_BATCH","nice":7}""").Run().Ok().Split(' ');

        Assert.Equal(("7", "3"), (fields[18], fields[40]));
    }

    [KernelFact(Needs.Root)]
    public void Run_IoPriority_IsThePayloads() =>
        Assert.Equal("best-effort: prio 6", With("busybox ionice", "ioPriority", """{"class":"IOPRIO_CLASS_BE","priority":6}""").Run().Ok());

    [KernelFact(Needs.Root)]
    public void Run_SchedulingThatIsNone_IsRefused()
    {
        With("true", "scheduler", """{"policy":"SCHED_OTHER","priority":5}""").Run().Fails(1, "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
        With("true", "ioPriority", """{"class":"IOPRIO_CLASS_BE","priority":9}""").Run().Fails(1, "process.ioPriority.priority: 9");
    }

    [KernelFact(Needs.Root)]
    public void Exec_ProcessorAffinity_IsTheFurtherProcessesAlone()
    {
        const string script = "grep Cpus_allowed_list /proc/self/status";
        // run ignores it: "only for exec" (config.md).
        Bundle bundle = With($"{script} > /tmp/first; sleep 1000", "execCPUAffinity", """{"initial":"0","final":"0"}""");
        bundle.Write();
        Store.Shell($"$HULL runtime --root {Store.ExecRoot}/runtime run --detach --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        try
        {
            Assert.Equal("Cpus_allowed_list:\t0", bundle.Call("exec", bundle.Id, "sh", "-c", script).Ok());
            Wait.Until(() => File.Exists($"{bundle.Directory}/rootfs/tmp/first"), 5, () => "the payload wrote nothing");
            Assert.NotEqual(Environment.ProcessorCount > 1, File.ReadAllText($"{bundle.Directory}/rootfs/tmp/first") == "Cpus_allowed_list:\t0\n");

            ExecWith("""{"final":"8000"}""").Fails(1, "sched_setaffinity processors 8000", "EINVAL");
            ExecWith("""{"initial":"x"}""").Fails(1, "process.execCPUAffinity.initial x: not a list like 0-3,7");
        }
        finally
        {
            bundle.Call("delete", "--force", bundle.Id).Ok();
        }

        RunResult ExecWith(string affinity)
        {
            bundle.Config["process"]!["execCPUAffinity"] = JsonNode.Parse(affinity);
            File.WriteAllText($"{bundle.Directory}/process.json", bundle.Config["process"]!.ToJsonString());
            return bundle.Call("exec", "--process", $"{bundle.Directory}/process.json", bundle.Id);
        }
    }
}
