using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Init;

namespace Hull.Runtime.Tests;

public sealed class SeccompListenerTests
{
    private static readonly Seccomp Notifying = new()
    {
        DefaultAction = "SCMP_ACT_ALLOW",
        ListenerPath = "/run/agent.sock",
        Flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        Syscalls = [new SeccompRule { Names = ["mkdir"], Action = "SCMP_ACT_NOTIFY" }],
    };

    [Fact]
    public void Compile_RuleThatNotifies_AsksForADescriptorAndNotForThreadSync()
    {
        SeccompFilter filter = SeccompFilter.Compile(Notifying, Architecture.X64);

        Assert.Equal(SeccompFlags.NewListener | SeccompFlags.WaitKillableReceive, (SeccompFlags)filter.Flags);
        Assert.Equal("/run/agent.sock", filter.Listener?.Path);
    }

    [Fact]
    public void Compile_PathWithoutSuchARule_HasNoListener() =>
        Assert.Null(SeccompFilter.Compile(Notifying with { Syscalls = [], Flags = null }, Architecture.X64).Listener);

    [Fact]
    public void Compile_ListenerThatCannotBe_IsRefusedWithItsPlace()
    {
        foreach ((Seccomp profile, string message) in ((Seccomp, string)[])[
            (Notifying with { ListenerPath = null }, "linux.seccomp.listenerPath: a rule has SCMP_ACT_NOTIFY"),
            (Notifying with { ListenerPath = "agent.sock" }, "linux.seccomp.listenerPath: 'agent.sock' must be an absolute path"),
            (Notifying with { ListenerPath = "", ListenerMetadata = "x" }, "linux.seccomp.listenerMetadata: is for a listener"),
            (Notifying with { Syscalls = [new SeccompRule { Names = ["read", "write"], Action = "SCMP_ACT_NOTIFY" }] },
                "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for write"),
            (Notifying with { Syscalls = null }, "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is for profiles with a rule of SCMP_ACT_NOTIFY"),
        ])
        {
            Assert.StartsWith(message, Assert.Throws<SpecException>(() => SeccompFilter.Compile(profile, Architecture.X64)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AddIdentity_Listener_IsHandedOnBeforeTheGateOfStart(bool noNewPrivileges)
    {
        using InitPlan plan = new();
        using ChildGates gates = new(plan);
        Process process = new() { Cwd = "/", NoNewPrivileges = noNewPrivileges };

        new ProcessSetup(plan, process, new ResolvedUser(0, 0, []))
            .AddIdentity(SeccompFilter.Compile(Notifying, Architecture.X64), gates, dieWithParent: false, () => gates.Tell(plan, "created"));

        string[] calls = [.. plan.Steps.Select(step => step.Call)];
        int filter = Array.IndexOf(calls, "seccomp");
        Assert.Equal(["seccomp", "store", "write", "read", "close"], calls[filter..(filter + 5)]);
        Assert.True(filter < Array.FindIndex([.. plan.Steps], step => step.Why == "created"));
    }
}
