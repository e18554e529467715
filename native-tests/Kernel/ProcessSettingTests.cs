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
        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} run --detach --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
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

    /// <summary>Seconds of the boot-time clock, /proc/uptime.</summary>
    private static double Uptime(string text) => double.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    private Bundle WithClocks(string script, string offsets)
    {
        Bundle bundle = new(Store, script);
        bundle.Linux["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "time" });
        bundle.Linux["timeOffsets"] = JsonNode.Parse(offsets);
        return bundle;
    }

    [KernelFact(Needs.TimeNamespace)]
    public void Run_TimeNamespace_HasItsOffsetsAndExecSeesThem()
    {
        Bundle bundle = WithClocks("cat /proc/uptime > /tmp/up; sleep 1000", """{"boottime":{"secs":1000000},"monotonic":{"secs":2000000,"nanosecs":5}}""");
        bundle.Write();
        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} run --detach --bundle {bundle.Directory} {bundle.Id} < /dev/null > {bundle.Directory}/out 2>&1").Ok();
        try
        {
            double host = Uptime(File.ReadAllText("/proc/uptime"));
            Assert.InRange(Uptime(bundle.Call("exec", bundle.Id, "cat", "/proc/uptime").Ok()) - host, 999_990, 1_000_060);
            Assert.InRange(Uptime(File.ReadAllText($"{bundle.Directory}/rootfs/tmp/up")) - host, 999_940, 1_000_010);
            int pid = (int)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["pid"]!;
            Assert.Contains("2000000", File.ReadAllText($"/proc/{pid}/timens_offsets"), StringComparison.Ordinal);

            Bundle other = new(Store, "cat /proc/uptime");
            other.Linux["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "time", ["path"] = $"/proc/{pid}/ns/time" });
            Assert.InRange(Uptime(other.Run().Ok()) - host, 999_990, 1_000_060);
        }
        finally
        {
            bundle.Call("delete", "--force", bundle.Id).Ok();
        }
    }

    [KernelFact(Needs.NoTimeNamespace)]
    public void Run_TimeNamespaceThatTheKernelLacks_SaysSo() =>
        WithClocks("true", """{"boottime":{"secs":1000000}}""").Run().Fails(1, "does this kernel have time namespaces (Linux 5.6, CONFIG_TIME_NS)?");

    [KernelFact(Needs.Root)]
    public void Run_TimeOffsetsThatNothingTakes_AreRefused()
    {
        Bundle without = new(Store, "true");
        without.Linux["timeOffsets"] = JsonNode.Parse("""{"boottime":{"secs":1}}""");
        without.Run().Fails(1, "linux.timeOffsets: only a time namespace that the container makes can be given offsets");
        WithClocks("true", """{"realtime":{"secs":1}}""").Run().Fails(1, "linux.timeOffsets: 'realtime' is not a clock of a time namespace");
        WithClocks("true", """{"boottime":{"secs":1,"nanosecs":1000000000}}""").Run().Fails(1, "linux.timeOffsets.boottime.nanosecs");
    }

    [KernelFact(Needs.Root)]
    public void Run_Personality_IsThePayloads()
    {
        Bundle bundle = new(Store, "cat /proc/self/personality");
        bundle.Linux["personality"] = JsonNode.Parse("""{"domain":"LINUX32"}""");
        Assert.Equal("00000008", bundle.Run().Ok());

        bundle.Linux["personality"] = JsonNode.Parse("""{"domain":"BSD"}""");
        bundle.Run().Fails(1, "linux.personality.domain: 'BSD' is not one of LINUX, LINUX32");
        bundle.Linux["personality"] = JsonNode.Parse("""{"domain":"LINUX","flags":["ADDR_NO_RANDOMIZE"]}""");
        bundle.Run().Fails(1, "linux.personality.flags");
    }
}
