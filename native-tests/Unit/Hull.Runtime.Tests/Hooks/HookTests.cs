using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Bundles;
using Hull.Runtime.Hooks;
using Hull.Runtime.Init;

namespace Hull.Runtime.Tests.Hooks;

public sealed class HookTests
{
    private static readonly Hook Plain = new() { Path = "/bin/true" };

    [Theory]
    [InlineData("bin/true", null, "hooks.poststop[1].path: 'bin/true' must be an absolute path")]
    [InlineData("/bin/true", 0, "hooks.poststop[1].timeout: 0 must be greater than zero; leave it out for no limit")]
    [InlineData("/bin/true", -3, "hooks.poststop[1].timeout: -3 must be greater than zero; leave it out for no limit")]
    [InlineData("/bin/\0", null, "hooks.poststop[1]: '/bin/?' contains a NUL character")]
    public void Check_WrongHook_NamesIt(string path, int? timeout, string expected)
    {
        Oci.RuntimeSpec.Hooks hooks = new() { Prestart = [Plain], Poststop = [Plain, new Hook { Path = path, Timeout = timeout }] };

        Assert.Equal(expected, Assert.Throws<ContainerException>(() => HookRules.Check(hooks)).Message);
    }

    [Fact]
    public void Describe_EachOutcome_IsOneLine()
    {
        HookPlace place = new("createRuntime", 2, new Hook { Path = "/bin/x", Timeout = 7 });

        Assert.Equal("hooks.createRuntime[2] /bin/x: exit code 3: c / d\u00e9 / ?[1me",
            place.Describe(HookOutcome.Ended(new ProcessExit(3, 0)), Encoding.UTF8.GetBytes("a\nb\nc\n\n d\u00e9 \n\u001b[1me\n")));
        Assert.Equal("hooks.createRuntime[2] /bin/x: killed by signal 11 (SIGSEGV)", place.Describe(HookOutcome.Ended(new ProcessExit(0, 11)), []));
        Assert.Equal("hooks.createRuntime[2] /bin/x: not done within its timeout, killed (7 s)", place.Describe(HookOutcome.TimedOut, []));
        Assert.Equal("hooks.createRuntime[2] /bin/x: cannot be executed: ENOENT (No such file or directory)",
            place.Describe(HookOutcome.NotExecuted(Errno.ENOENT), []));
    }

    [Fact]
    public void Plan_HooksOfTheChild_StandBehindTheirGates()
    {
        using InitPlan plan = new();
        using ChildGates gates = new(plan);
        HookPlan hooks = new(plan, Request(new Oci.RuntimeSpec.Hooks { CreateContainer = [Plain, Plain], StartContainer = [Plain], Poststop = [Plain] }));

        hooks.AddBeforePivot(gates);
        hooks.AddBeforePayload();

        Assert.Equal(
            ["write gate", "read gate", "hook createContainer[0] /bin/true", "hook createContainer[1] /bin/true", "hook startContainer[0] /bin/true"],
            plan.Steps.Select(step => $"{step.Call} {step.Target}"));
    }

    [Fact]
    public void Plan_OnlyLaterHooks_CostsNoStep()
    {
        using InitPlan plan = new();
        using ChildGates gates = new(plan);
        HookPlan hooks = new(plan, Request(new Oci.RuntimeSpec.Hooks { Poststart = [Plain], Poststop = [Plain] }));

        hooks.AddBeforePivot(gates);
        hooks.AddBeforePayload();

        Assert.Empty(plan.Steps);
    }

    [Fact]
    public void State_WithHooks_ReadsBackAsWritten()
    {
        ContainerState state = new()
        {
            Id = "a",
            OciVersion = "1.2.0",
            Bundle = "/b",
            Rootfs = "/b/rootfs",
            Pid = 7,
            StartTime = 8,
            CgroupPath = "/c",
            CallersKeyring = true,
            Created = DateTimeOffset.UnixEpoch,
            Hooks = new Oci.RuntimeSpec.Hooks { Poststop = [new Hook { Path = "/x", Args = ["x", "y"], Env = ["A=b"], Timeout = 4 }] },
        };

        Assert.True(ContainerStateCodec.Read(ContainerStateCodec.Write(state)).CallersKeyring);
        Assert.False(ContainerStateCodec.Read(ContainerStateCodec.Write(state with { CallersKeyring = false })).CallersKeyring);
        Hook read = ContainerStateCodec.Read(ContainerStateCodec.Write(state)).Hooks!.Poststop!.Single();

        Assert.Equal(("/x", "x y", "A=b", 4), (read.Path, string.Join(' ', read.Args!), read.Env!.Single(), read.Timeout!.Value));
        Assert.Null(ContainerStateCodec.Read(ContainerStateCodec.Write(state with { Hooks = null })).Hooks);
    }

    private static ContainerRequest Request(Oci.RuntimeSpec.Hooks hooks) => new()
    {
        Id = "a",
        Spec = new Spec { OciVersion = "1.2.0", Hooks = hooks },
        Bundle = "/b",
        Rootfs = new RootfsSource.Directory("rootfs"),
    };
}
