using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Seccomp profiles that hand system calls to a program outside of the container (SCMP_ACT_NOTIFY).</summary>
public sealed class SeccompListenerTests(HullStore store) : KernelTest(store)
{
    private const int DiskQuotaExceeded = 122;

    private const string MakeThree =
        "mkdir /tmp/refused 2>&1; mkdir /tmp/pretended && ls /tmp/pretended 2>&1; mkdir /tmp/made && ls /tmp";

    private const string ThreeMade =
        "mkdir: can't create directory '/tmp/refused': Disk quota exceeded\nls: /tmp/pretended: No such file or directory\nmade";

    /// <summary>The calls that the child stage makes itself once it has the filter.</summary>
    private static readonly string[] OwnCalls =
        ["setgroups", "setresgid", "setresuid", "capset", "prctl", "umask", "chdir", "getcwd", "read", "close", "close_range", "rt_sigaction", "rt_sigprocmask", "execve"];

    private string SocketPath() => $"{Store.Scratch}/{Guid.NewGuid().ToString("n")[..8]}.sock";

    private static JsonObject Profile(string? path, params string[] calls)
    {
        JsonObject profile = new()
        {
            ["defaultAction"] = "SCMP_ACT_ALLOW",
            ["syscalls"] = new JsonArray(new JsonObject
            {
                ["names"] = new JsonArray([.. calls.Select(call => JsonValue.Create(call))]),
                ["action"] = "SCMP_ACT_NOTIFY",
            }),
        };
        if (path is not null)
        {
            profile["listenerPath"] = path;
        }

        return profile;
    }

    /// <summary>Answers mkdir(2) by the last part of the name.</summary>
    private SeccompAgent Mkdir() => new(SocketPath(), static call => Path.GetFileName(call.Text(0)) switch
    {
        "refused" => CallAnswer.With(DiskQuotaExceeded),
        "pretended" => CallAnswer.With(0),
        _ => CallAnswer.Carry,
    });

    [KernelTheory(Needs.Root)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Run_NotifiedCalls_AreAnsweredByTheListener(bool noNewPrivileges, bool userNamespace)
    {
        using SeccompAgent agent = Mkdir();
        Bundle bundle = new(Store, MakeThree);
        bundle.Config["process"]!["noNewPrivileges"] = noNewPrivileges;
        bundle.Config["annotations"] = new JsonObject { ["key"] = "value" };
        bundle.Linux["seccomp"] = Profile(agent.Path, "mkdir");
        if (userNamespace)
        {
            bundle.InUserNamespace();
        }

        bundle.Linux["seccomp"]!["listenerMetadata"] = "what the agent knows it by";

        Assert.Equal(ThreeMade, bundle.Run().Ok());

        JsonNode told = Assert.Single(agent.Messages);
        Assert.Equal(("1.0.2", "seccompFd", "what the agent knows it by"),
            ((string)told["ociVersion"]!, (string)Assert.Single(told["fds"]!.AsArray())!, (string)told["metadata"]!));
        JsonNode state = told["state"]!;
        Assert.Equal((bundle.Id, "creating", bundle.Directory, "value"),
            ((string)state["id"]!, (string)state["status"]!, (string)state["bundle"]!, (string)state["annotations"]!["key"]!));
        Assert.Equal((int)told["pid"]!, (int)state["pid"]!);
    }

    [KernelFact(Needs.Root)]
    public void Exec_NotifiedCalls_AreAnsweredOnADescriptorOfItsOwn()
    {
        using SeccompAgent agent = Mkdir();
        using RunningBundle container = new(Store, change: bundle => bundle.Linux["seccomp"] = Profile(agent.Path, "mkdir"));

        Assert.Equal(ThreeMade, container.Bundle.Call("exec", container.Id, "sh", "-c", MakeThree).Ok());

        Assert.Equal(2, agent.Messages.Count);
        JsonNode told = agent.Messages[1];
        Assert.Equal(("running", container.Pid), ((string)told["state"]!["status"]!, (int)told["state"]!["pid"]!));
        Assert.NotEqual(container.Pid, (int)told["pid"]!);
    }

    [KernelTheory(Needs.Root)]
    [InlineData(false)]
    [InlineData(true)]
    public void CreateStartExec_OurOwnCallsAreNotified_TheListenerLetsThemPass(bool noNewPrivileges)
    {
        int calls = 0;
        using SeccompAgent agent = new(SocketPath(), _ =>
        {
            Interlocked.Increment(ref calls);
            return CallAnswer.Carry;
        });
        using RunningBundle container = new(Store, change: bundle =>
        {
            bundle.Config["process"]!["noNewPrivileges"] = noNewPrivileges;
            bundle.Linux["seccomp"] = Profile(agent.Path, OwnCalls);
        });

        Assert.Equal("here", container.Bundle.Call("exec", container.Id, "echo", "here").Ok());
        Assert.True(calls > 60, $"{calls} calls were answered");
    }

    [KernelFact(Needs.Root)]
    public void Run_TheListenerEnds_CallsFailInsteadOfWaiting()
    {
        SeccompAgent agent = Mkdir();
        Bundle bundle = new(Store, "read line; mkdir /tmp/made 2>&1");
        bundle.Linux["seccomp"] = Profile(agent.Path, "mkdir");
        bundle.Linux["seccomp"]!["flags"] = new JsonArray("SECCOMP_FILTER_FLAG_TSYNC");
        using HullProcess run = bundle.Start();
        Wait.Until(() => agent.Messages.Count == 1, 10, () => $"no message: {run.Stderr}");
        agent.Dispose();

        run.Write("go\n");

        Assert.Equal((1, "mkdir: can't create directory '/tmp/made': Function not implemented\n"), (run.Finish().ExitCode, run.Stdout));
    }

    [KernelFact(Needs.Root)]
    public void Run_WaitKillable_IsSetForTheListener()
    {
        using SeccompAgent agent = Mkdir();
        Bundle bundle = new(Store, MakeThree);
        bundle.Linux["seccomp"] = Profile(agent.Path, "mkdir");
        bundle.Linux["seccomp"]!["flags"] = new JsonArray("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");

        Assert.Equal(ThreeMade, bundle.Run().Ok());
    }

    [KernelFact(Needs.Root)]
    public void Create_NobodyListens_IsRefusedAndNothingIsLeft()
    {
        string dead = SocketPath();
        File.WriteAllText(dead, "");
        string tooLong = $"{Store.Scratch}/{new string('x', 100)}";
        foreach ((string path, string message) in ((string, string)[])[
            (SocketPath(), "nobody listens there; start the seccomp agent first"), (dead, "nobody listens there"),
            ($"{Store.Scratch}/no/agent.sock", "ENOENT"), (tooLong, "ENAMETOOLONG"), ("agent.sock", "must be an absolute path")])
        {
            Bundle bundle = new(Store, "true");
            bundle.Linux["seccomp"] = Profile(path, "mkdir");
            bundle.Write();
            foreach (string verb in (string[])["create", "run"])
            {
                bundle.Call(verb, "--bundle", bundle.Directory, bundle.Id).Fails(1, "linux.seccomp.listenerPath", path, message);
                Assert.False(Directory.Exists($"{Store.RuntimeRoot}/{bundle.Id}"));
            }
        }
    }

    [KernelFact(Needs.Root)]
    public void Exec_NobodyListensAnyMore_IsRefusedAndTheContainerRunsOn()
    {
        SeccompAgent agent = Mkdir();
        using RunningBundle container = new(Store, change: bundle => bundle.Linux["seccomp"] = Profile(agent.Path, "mkdir"));
        agent.Dispose();

        container.Bundle.Call("exec", container.Id, "true").Fails(1, "nobody listens there");

        Assert.Single(container.Bundle.Call("ps", "--format", "json", container.Id).Ok().Split(','));
        Assert.Equal("running", container.Status);
    }

    [KernelFact(Needs.Root)]
    public void HullRunAndExec_ProfileWithAListener_AreAnswered()
    {
        using SeccompAgent agent = Mkdir();
        string file = $"{Store.Scratch}/profile.json";
        File.WriteAllText(file, Profile(agent.Path, "mkdir").ToJsonString());

        Assert.Equal(ThreeMade, InBusybox(MakeThree, "--security-opt", $"seccomp={file}").Ok());

        string id = Detached("listened", ["--security-opt", $"seccomp={file}"]);
        Assert.Equal(ThreeMade, Hull("exec", "listened", "sh", "-c", MakeThree).Ok());
        Assert.Equal(["creating", "creating", "running"], agent.Messages.Select(message => (string)message["state"]!["status"]!));
        Assert.Equal(id, (string)agent.Messages[2]["state"]!["id"]!);
    }
}
