using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime events</c>: what a container uses, in runc's shape.</summary>
public sealed class RuntimeEventTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Limits)]
    public void Events_Stats_IsOneLine()
    {
        using RunningBundle container = new(Store, change: bundle => bundle.Resources("""{"memory":{"limit":67108864},"pids":{"limit":50}}"""));

        string line = container.Bundle.Call("events", "--stats", container.Id).Ok();

        Assert.DoesNotContain('\n', line);
        JsonNode json = JsonNode.Parse(line)!;
        Assert.Equal(("stats", container.Id), ((string)json["type"]!, (string)json["id"]!));
        JsonNode data = json["data"]!;
        Assert.True((ulong)data["cpu"]!["usage"]!["total"]! > 0);
        Assert.True((ulong)data["memory"]!["usage"]!["usage"]! > 0);
        Assert.Equal(67108864UL, (ulong)data["memory"]!["usage"]!["limit"]!);
        Assert.NotEmpty(data["memory"]!["raw"]!.AsObject());
        Assert.Equal((1, 50), ((int)data["pids"]!["current"]!, (int)data["pids"]!["limit"]!));
        Assert.NotNull(data["blkio"]);
        Assert.NotNull(data["cpuset"]);
        Assert.NotNull(data["memory"]!["kernelTCP"]!["limit"]);
        Assert.NotNull(data["hugetlb"]);
    }

    [KernelFact(Needs.Cpuset)]
    public void Events_Cpuset_TellsWhereTheContainerMayRun()
    {
        using RunningBundle container = new(Store, change: bundle => bundle.Resources("""{"cpu":{"cpus":"0","mems":"0"}}"""));

        JsonNode cpuset = JsonNode.Parse(container.Bundle.Call("events", "--stats", container.Id).Ok())!["data"]!["cpuset"]!;

        Assert.Equal(("[0]", "[0]"), (cpuset["cpus"]!.ToJsonString(), cpuset["mems"]!.ToJsonString()));
        if (Machine.CgroupV1Mount("cpuset") is string v1)
        {
            Assert.Equal(File.ReadAllText($"{v1}/hull/{container.Id}/cpuset.sched_load_balance").Trim(), cpuset["sched_load_balance"]!.ToJsonString());
            Assert.Equal("-1", cpuset["sched_relax_domain_level"]!.ToJsonString());
        }
    }

    [KernelFact(Needs.Limits)]
    public void Events_Stream_HasOomAndEndsWithTheContainer()
    {
        using RunningBundle container = new(
            Store,
            "cat /tmp/go; (tail /dev/zero); cat /tmp/go; sleep 1000",
            bundle =>
            {
                bundle.Resources("""{"memory":{"limit":33554432,"swap":33554432}}""");
                Store.Shell($"mkfifo {bundle.Directory}/rootfs/tmp/go").Ok();
            });
        using HullProcess events = Store.Start("runtime", "--root", Store.RuntimeRoot, "events", "--interval", "100ms", container.Id);
        events.WaitForOutput("\"type\":\"stats\"");
        container.Bundle.Call("exec", container.Id, "sh", "-c", "echo > /tmp/go").Ok();
        events.WaitForOutput($$"""{"type":"oom","id":"{{container.Id}}"}""");

        container.Bundle.Call("kill", container.Id, "KILL").Ok();

        Assert.All(events.Finish().Ok().Split('\n'), line => Assert.NotNull(JsonNode.Parse(line)!["type"]));
        container.Bundle.Call("events", "--stats", container.Id).Fails(1, "is not running");
    }

    [KernelFact(Needs.Root)]
    public void Events_Wrong_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        bundle.Call("events", "no-such").Fails(1, "container does not exist: no-such");
        bundle.Call("events", "--interval", "soon", "no-such").Fails(1, "--interval soon: expected a duration");
        bundle.Call("events", "--interval", "0", "no-such").Fails(1, "--interval 0: expected a duration");
    }
}
