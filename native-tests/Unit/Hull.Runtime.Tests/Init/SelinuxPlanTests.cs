using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Tests.Init;

public sealed class SelinuxPlanTests
{
    private const string Label = "system_u:system_r:container_t:s0:c1,c2";

    [Theory]
    [InlineData(Label, null, "process.selinuxLabel: SELinux is off")]
    [InlineData(null, Label, "linux.mountLabel: SELinux is off")]
    public void Check_LabelWhereItIsOff_IsRefused(string? process, string? mount, string message)
    {
        Assert.StartsWith(message, Assert.Throws<ContainerException>(() => SelinuxRule.Check(process, mount, static () => false)).Message, StringComparison.Ordinal);
        SelinuxRule.Check(process, mount, static () => true);
    }

    [Fact]
    public void Check_NoLabel_IsFine() => SelinuxRule.Check("", null, static () => throw new InvalidOperationException("asked the host without a label"));

    [Fact]
    public void AddExec_FurtherProcess_WritesToAVerifiedProcfs()
    {
        using InitPlan plan = new();

        SecurityLabels.AddExec(plan, new Process { Args = ["true"], Cwd = "/", SelinuxLabel = Label });

        Assert.Equal(["openat", "fstatfs", "verify", "write", "close"], plan.Steps.Select(step => step.Call));
        Assert.Equal("/proc/thread-self/attr/exec", plan.Steps[0].Target);
        Assert.Equal($"SELinux label {Label}", plan.Steps[3].Target);
    }

    [Fact]
    public void AddKeys_NoLabel_IsNoStep()
    {
        using InitPlan plan = new();

        SecurityLabels.AddKeys(plan, new Process { Args = ["true"], Cwd = "/", ApparmorProfile = "x" });

        Assert.Empty(plan.Steps);
    }

    [Theory]
    [InlineData("tmpfs", "fsconfig")]
    [InlineData("devpts", "fsconfig")]
    [InlineData("mqueue", "fsetxattr")]
    [InlineData("proc", null)]
    [InlineData("sysfs", null)]
    public void AddMounts_MountLabel_IsTheFileSystems(string type, string? call)
    {
        using InitPlan plan = new();
        using ChildGates gates = new(plan);
        using SafeFileHandle root = Files.Open("/", OpenFlags.Path | OpenFlags.Directory);
        Spec spec = new() { OciVersion = "1.2.0", Mounts = [new Mount { Destination = "/mnt", Type = type }], Linux = new LinuxConfig { MountLabel = Label } };

        new RootfsSetup(plan, spec, root, gates, userNamespace: false).AddMounts(() => []);

        Assert.Equal(call, plan.Steps.SingleOrDefault(step => step.Target.Contains(Label, StringComparison.Ordinal))?.Call);
    }
}
