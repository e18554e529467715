using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime update</c>: limits of a running container, on v1 and v2 controllers.</summary>
public sealed class RuntimeUpdateTests(HullStore store) : KernelTest(store)
{
    private const int Mib = 1 << 20;

    private static bool V2 => Machine.CgroupV1Mount("memory") is null;

    [KernelFact(Needs.Limits)]
    public void Update_Memory_MovesEitherWayAndKeepsWhatIsNotSaid()
    {
        using RunningBundle container = new(Store, change: bundle => bundle.Resources("""{"memory":{"limit":67108864}}"""));
        string Memory() => container.Bundle.Cgroup("memory", "memory.max", "memory.limit_in_bytes")!;
        foreach (int mebibytes in (int[])[128, 32, 256])
        {
            container.Bundle.Call("update", "--memory", $"{mebibytes}m", "--memory-swap", $"{2 * mebibytes}m", container.Id).Ok();
            Assert.Equal($"{mebibytes * Mib}", Memory());
            if (container.Bundle.Cgroup("memory", "memory.swap.max", "memory.memsw.limit_in_bytes") is { } swap)
            {
                Assert.Equal($"{(V2 ? mebibytes : 2 * mebibytes) * (long)Mib}", swap);
            }
        }

        // The swap limit alone: the memory limit is taken from the cgroup.
        container.Bundle.Call("update", "--memory-swap", "300m", container.Id).Ok();
        Assert.Equal($"{256 * Mib}", Memory());
        container.Bundle.Call("update", "--memory-swap", "200m", container.Id).Fails(1, "must be at least the memory limit");
        container.Bundle.Call("update", "--memory", "-1", container.Id).Ok();
        Assert.Equal(V2, Memory() == "max");
    }

    [KernelFact(Needs.Limits)]
    public void Update_QuotaOrPeriodAlone_KeepsTheOther()
    {
        using RunningBundle container = new(Store, change: bundle => bundle.Resources("""{"cpu":{"quota":30000,"period":50000}}"""));
        (string?, string?) Quota() => V2
            ? (container.Bundle.Cgroup("cpu", "cpu.max", ""), null)
            : (container.Bundle.Cgroup("cpu", "", "cpu.cfs_quota_us"), container.Bundle.Cgroup("cpu", "", "cpu.cfs_period_us"));

        container.Bundle.Call("update", "--cpu-quota", "20000", container.Id).Ok();
        Assert.Equal(V2 ? ("20000 50000", null) : ("20000", "50000"), Quota());
        container.Bundle.Call("update", "--cpu-period", "100000", container.Id).Ok();
        Assert.Equal(V2 ? ("20000 100000", null) : ("20000", "100000"), Quota());
        container.Bundle.Call("update", "--cpu-period", "1", container.Id).Fails(1, "1000 to 1000000");
    }

    [KernelFact(Needs.Limits)]
    public void Update_Document_FromFileAndStandardInput()
    {
        using RunningBundle container = new(Store);
        string update = $"$HULL runtime --root {Store.RuntimeRoot} update";

        Store.Shell($"echo '{{\"pids\":{{\"limit\":77}},\"cpu\":{{\"shares\":512}}}}' | {update} --resources - {container.Id}").Ok();
        Assert.Equal("77", container.Bundle.Cgroup("pids", "pids.max", "pids.max"));
        container.Bundle.Call("update", "--pids-limit", "78", container.Id).Ok();
        Assert.Equal("78", container.Bundle.Cgroup("pids", "pids.max", "pids.max"));

        Store.Shell($"echo '[' | {update} -r - {container.Id}").Fails(1, "standard input is not a valid document of limits");
        Store.Shell($"{update} -r {Store.Scratch}/none {container.Id}").Fails(1, "none", "ENOENT");
        container.Bundle.Call("update", "--memory", "x", container.Id).Fails(1, "--memory x");
        container.Bundle.Call("update", "--pids-limit", "5", "no-such").Fails(1, "does not exist");
        container.Bundle.Call("kill", container.Id, "KILL").Ok();
        Wait.Until(() => container.Status == "stopped", 5, () => "still running");
        container.Bundle.Call("update", "--pids-limit", "5", container.Id).Fails(1, "container not running");
    }
}
