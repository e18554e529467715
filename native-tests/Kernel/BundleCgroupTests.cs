using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Limits and device rules of <c>hull runtime</c>: exactly what a config.json says, on v1 and v2 controllers.</summary>
public sealed class BundleCgroupTests(HullStore store) : KernelTest(store)
{
    private const string Denied = "Operation not permitted";

    private static bool V2 => Machine.CgroupV1Mount("memory") is null;

    [KernelFact(Needs.Limits)]
    public void Run_NoDeviceRules_AllButTheDefaultsAreDenied_GHSA_g54h_m393_cpwq()
    {
        const string script = """
            mknod /tmp/d1 b 8 0; mknod /tmp/d2 c 1 1; mknod /tmp/d3 c 10 237
            for i in 1 2 3; do head -c1 /tmp/d$i; done
            echo x > /dev/null && head -c3 /dev/urandom | wc -c
            """;
        foreach (string resources in (string[])["{}", """{"devices":[]}"""])
        {
            RunResult result = new Bundle(Store, script).Resources(resources).Run();

            Assert.Equal("3\n", result.Stdout);
            Assert.Equal(4, result.Stderr.Split(Denied).Length);
        }
    }

    [KernelFact(Needs.Limits)]
    public void Exec_ContainerHasMovedBelowItsCgroup_GoesWhereItsFirstProcessIs()
    {
        if (Machine.CgroupV2Mount is null)
        {
            // With v1 alone a cgroup may hold processes and cgroups at once. The v2 tree of a hybrid host has hugetlb to hand down.
            return;
        }

        using RunningBundle container = new(Store);
        string own = $"{Machine.CgroupV2Mount}/hull/{container.Id}";
        Directory.CreateDirectory($"{own}/below");
        File.WriteAllText($"{own}/below/cgroup.procs", $"{container.Pid}");
        File.WriteAllText($"{own}/cgroup.subtree_control", $"+{File.ReadAllText($"{own}/cgroup.controllers").Split(' ', '\n')[0]}");

        Assert.Equal("0::/below", container.Bundle.Call("exec", container.Id, "grep", "^0:", "/proc/self/cgroup").Ok());
        container.Bundle.Call("exec", "--cgroup", "/", container.Id, "true").Fails(1, "clone3", "EBUSY", "can hold no process");
    }

    [KernelFact(Needs.Limits)]
    public void Run_DeviceRules_LaterOnesWin()
    {
        // c 10:237 makes loop devices; anybody with the node may open it.
        RunResult result = new Bundle(Store, "mknod /tmp/d c 10 237; (exec 3</tmp/d && echo readable); (exec 3>/tmp/d && echo writable)")
            .Resources("""
                {"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":237,"access":"rw"},
                {"allow":false,"type":"c","major":10,"minor":237,"access":"w"}]}
                """).Run();

        Assert.Equal("readable\n", result.Stdout);
        Assert.Contains(Denied, result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits)]
    public void Run_AllowAll_OpensAnything() => Assert.Equal(
        "open",
        new Bundle(Store, "mknod /tmp/d c 10 237; exec 3</tmp/d && echo open").Resources("""{"devices":[{"allow":true,"access":"rwm"}]}""").Run().Ok());

    [KernelFact(Needs.Limits)]
    public void Run_PartOfAWiderRule_HoldsOnV2AndIsRefusedOnV1()
    {
        RunResult result = new Bundle(Store, "mknod /tmp/d c 10 237; (exec 3</tmp/d && echo open); mknod /tmp/e c 10 229; exec 3</tmp/e && echo fuse")
            .Resources("""{"devices":[{"allow":true,"type":"c","major":10,"access":"rwm"},{"allow":false,"type":"c","major":10,"minor":237,"access":"r"}]}""").Run();

        if (Machine.CgroupV1Mount("devices") is null)
        {
            Assert.Contains(Denied, result.Stderr, StringComparison.Ordinal);
            Assert.DoesNotContain("open", result.Stdout, StringComparison.Ordinal);
        }
        else
        {
            result.Fails(1, "device rule deny c 10:237 r: takes a part out of allow c 10:* rwm, which cgroup v1 cannot hold");
        }
    }

    [KernelFact(Needs.Limits)]
    public void Run_Memory_ProcessOverItIsKilled()
    {
        RunResult result = new Bundle(Store, "tail /dev/zero; echo status $?")
            .Resources("""{"memory":{"limit":33554432,"swap":33554432}}""").Run(60);

        Assert.Equal("status 137", result.Ok());
    }

    [KernelFact(Needs.Limits)]
    public void Run_MemoryUnderAUserNamespace_LimitsTheContainersOwnCgroup_CVE_2025_47291()
    {
        Bundle bundle = new Bundle(Store, "echo up; sleep 1000").Resources("""{"memory":{"limit":67108864}}""").InUserNamespace(200000);
        using HullProcess run = bundle.Start();
        run.WaitForOutput("up");

        Assert.Equal("67108864", bundle.Cgroup("memory", "memory.max", "memory.limit_in_bytes"));
        string[] members = bundle.Cgroup("memory", "cgroup.procs", "cgroup.procs")!.Split('\n');
        Assert.NotEmpty(members);
        Assert.All(members, pid => Assert.Contains(
            "200000", File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)), StringComparison.Ordinal));
        KillAndWait(bundle, run);
    }

    [KernelFact(Needs.Limits)]
    public void Run_Pids_ForkFails() => Assert.Contains(
        "fork",
        new Bundle(Store, "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done").Resources("""{"pids":{"limit":5}}""").Run().Stderr,
        StringComparison.Ordinal);

    [KernelFact(Needs.Limits)]
    public void Run_CpuAndUnified_EachInItsFile()
    {
        Bundle bundle = new Bundle(Store, "echo up; sleep 1000")
            .Resources("""{"cpu":{"shares":2000,"quota":30000,"period":50000},"unified":{"cgroup.max.depth":"3"}}""");
        using HullProcess run = bundle.Start();
        run.WaitForOutput("up");

        Assert.Equal(V2 ? "170" : "2000", bundle.Cgroup("cpu", "cpu.weight", "cpu.shares"));
        Assert.Equal(V2 ? "30000 50000" : "30000", bundle.Cgroup("cpu", "cpu.max", "cpu.cfs_quota_us"));
        Assert.Equal("3", File.ReadAllText($"{Machine.CgroupV2Mount}/hull/{bundle.Id}/cgroup.max.depth").Trim());
        KillAndWait(bundle, run);
    }

    [KernelFact(Needs.CgroupV1)]
    public void Run_UnifiedFileOfAV1Controller_SaysWhereItIs() =>
        new Bundle(Store, "true").Resources("""{"unified":{"memory.high":"1000000"}}""").Run()
            .Fails(1, "linux.resources.unified[\"memory.high\"]", "memory is bound to cgroup v1 at ");

    [KernelFact(Needs.CgroupV2)]
    public void Run_OnlyV1HasIt_IsRefused() =>
        new Bundle(Store, "true").Resources("""{"memory":{"swappiness":10}}""").Run().Fails(1, "cgroup v2 has no memory.swappiness");

    [KernelFact(Needs.Limits)]
    public void Run_Cpuset_HoldsOrNamesTheMissingController()
    {
        RunResult result = new Bundle(Store, "grep Cpus_allowed_list /proc/self/status").Resources("""{"cpu":{"cpus":"0"}}""").Run();

        if (Machine.WhyNot(Needs.Cpuset) is null)
        {
            Assert.Equal("Cpus_allowed_list:\t0", result.Ok());
        }
        else
        {
            result.Fails(1, "this host has no cpuset controller", "cgroup.controllers does not list it");
        }
    }

    [KernelFact(Needs.Limits)]
    public void Run_CpusetHuge_IsRefusedAtOnce_CVE_2018_20699()
    {
        RunResult result = new Bundle(Store, "true").Resources("""{"cpu":{"cpus":"0-2147483647"}}""").Run();

        result.Fails(1, "2147483647 is beyond 8191");
        Assert.InRange(result.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5 * Machine.TimeScale));
    }

    [KernelFact(Needs.Limits)]
    public void Run_CgroupInUse_IsRefused()
    {
        Bundle first = new(Store, "echo up; sleep 1000");
        using HullProcess run = first.Start();
        run.WaitForOutput("up");
        Bundle second = new(Store, "true");
        second.Linux["cgroupsPath"] = $"/hull/{first.Id}";

        second.Run().Fails(1, $"cgroup /hull/{first.Id} is in use");

        KillAndWait(first, run);
    }

    [KernelFact(Needs.Limits)]
    public void Run_CgroupMounts_AreReadOnlyAndShowOnlyTheContainer_CVE_2022_0492()
    {
        RunResult result = new Bundle(Store, """
            cat /proc/self/cgroup
            mkdir /tmp/m; mount -t cgroup -o rdma none /tmp/m && echo mounted
            unshare -Urm mount -t cgroup -o rdma none /tmp/m && echo mounted
            for f in /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/cgroup.procs; do echo x > $f; done 2> /dev/null && echo written
            true
            """).Run();

        Assert.All(result.Ok().Split('\n'), line => Assert.EndsWith(":/", line, StringComparison.Ordinal));
    }

    [KernelFact(Needs.Limits)]
    public void Run_HostsCgroupNamespace_ShowsTheHostsMountAndLeavesItsOptions()
    {
        const string options = "grep ' - cgroup2 ' /proc/self/mountinfo | head -n 1 | grep -o '[^ ]*$'";
        string before = Store.Shell(options).Ok();
        Bundle bundle = new(Store, "cat /proc/self/cgroup; cat /proc/self/mountinfo; echo x > /sys/fs/cgroup/pids/tasks");
        bundle.Linux["namespaces"]!.AsArray().RemoveAt(5);

        RunResult result = bundle.Run();

        // A cgroup2 file system made anew in the host's cgroup namespace would take nsdelegate from the host.
        Assert.Equal(before, Store.Shell(options).Ok());
        Assert.Contains($":/hull/{bundle.Id}\n", result.Stdout, StringComparison.Ordinal);
        string root = V2 ? "/ /sys/fs/cgroup ro" : $"/hull/{bundle.Id} /sys/fs/cgroup/pids ro";
        Assert.Contains($" {root},", result.Stdout, StringComparison.Ordinal);
        Assert.NotEqual("", result.Stderr);
    }

    private void KillAndWait(Bundle bundle, HullProcess run)
    {
        Hull("runtime", "--root", Store.RuntimeRoot, "kill", bundle.Id, "KILL").Ok();
        Assert.Equal(137, run.Finish().ExitCode);
    }
}
