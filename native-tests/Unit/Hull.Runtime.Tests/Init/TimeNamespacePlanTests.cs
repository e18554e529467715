using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Init;

namespace Hull.Runtime.Tests.Init;

public sealed class TimeNamespacePlanTests
{
    [Fact]
    public void Add_Offsets_AreWrittenBeforeTheNamespaceIsEntered()
    {
        using InitPlan plan = new();

        TimeNamespacePlan.Add(plan, new Dictionary<string, TimeOffset> { ["monotonic"] = new() { Secs = -2, Nanosecs = 7 }, ["boottime"] = new() { Secs = 5 } });

        Assert.Equal(["unshare", "openat", "write", "close", "openat", "setns", "close"], plan.Steps.Select(step => step.Call));
        Assert.Equal("boottime 5 0, monotonic -2 7", plan.Steps[2].Target);
    }

    [Fact]
    public void Of_TimeNamespace_IsNoFlagOfTheClone()
    {
        using NamespacePlan plan = NamespacePlan.Of(new LinuxConfig { Namespaces = [new Namespace { Type = "mount" }, new Namespace { Type = "time" }] });

        Assert.True(plan.MakesTime);
        Assert.Equal(Linux.CloneFlags.NewMount, plan.Made);
    }

    [Fact]
    public void Of_OffsetsWithoutANamespaceOfItsOwn_AreRefused()
    {
        LinuxConfig linux = new() { Namespaces = [new Namespace { Type = "mount" }], TimeOffsets = new Dictionary<string, TimeOffset> { ["boottime"] = new() } };

        Assert.StartsWith("linux.timeOffsets:", Assert.Throws<ContainerException>(() => NamespacePlan.Of(linux)).Message, StringComparison.Ordinal);
    }
}
