using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Which devices a container can open: files on cgroup v1, an eBPF program on v2. A node can be made of any.</summary>
public sealed class DeviceRuleTests(HullStore store) : KernelTest(store)
{
    private const string Denied = "Operation not permitted";

    // A disk, the machine's memory, the maker of loop devices. The verdict comes before a driver is looked for.
    private const string OpenForbidden =
        "mknod /d1 b 8 0; mknod /d2 c 1 1; mknod /d3 c 10 237; for i in 1 2 3; do head -c1 /d$i > /dev/null; done";

    [KernelFact(Needs.Limits | Needs.Devices)]
    public void Run_Default_ForbiddenDevicesCannotBeOpened()
    {
        RunResult result = InBusybox(OpenForbidden);

        Assert.Equal(3, Count(result.Stderr, Denied));
    }

    [KernelFact(Needs.Limits | Needs.Devices)]
    public void Run_Default_StandardDevicesWork() => Assert.Equal(
        "4\n4",
        InBusybox("head -c4 /dev/zero | wc -c; head -c4 /dev/urandom | wc -c; echo x > /dev/null; mknod /n c 1 3 && echo x > /n").Ok());

    [KernelFact(Needs.Limits | Needs.Devices)]
    public void Run_DeviceReadOnly_CanBeReadNotWritten()
    {
        RunResult result = InBusybox(
            "(exec 3</dev/mine && echo readable); (exec 3>/dev/mine && echo writable)", "--device", "/dev/loop-control:/dev/mine:r");

        Assert.Equal("readable\n", result.Stdout);
        Assert.Contains(Denied, result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits | Needs.Devices)]
    public void Run_DeviceCgroupRule_OpensWhatItNames()
    {
        RunResult result = InBusybox(
            "mknod /d c 10 237; (exec 3</d && echo readable); (exec 3>/d && echo writable)", "--device-cgroup-rule", "c 10:237 r");

        Assert.Equal("readable\n", result.Stdout);
        Assert.Contains(Denied, result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Limits | Needs.Devices)]
    public void Run_Privileged_NoRules() =>
        Assert.Equal("open", InBusybox("mknod /d c 10 237; exec 3<>/d && echo open", "--privileged").Ok());

    [KernelFact(Needs.Limits)]
    public void Run_MountCgroupInNewNamespaces_IsRefused_CVE_2022_0492()
    {
        RunResult result = InBusybox(
            "mkdir /m; unshare -Urm sh -c 'mount -t cgroup -o rdma none /m && echo mounted'; mount -t cgroup -o rdma none /m && echo mounted;"
            + " echo x > /sys/fs/cgroup/release_agent; echo x > /sys/fs/cgroup/rdma/release_agent; true");

        Assert.Equal("", result.Ok());
        Assert.Contains(Denied, result.Stderr, StringComparison.Ordinal);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
