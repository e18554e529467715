using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>start</c> of a container whose command went wrong after its create.</summary>
public sealed class RuntimeStartTests(HullStore store) : KernelTest(store)
{
    private Bundle Created(string command, string? seccomp = null)
    {
        Bundle bundle = new(Store, "true");
        File.Copy("/bin/busybox", $"{bundle.Directory}/rootfs/payload");
        bundle.Config["process"]!["args"] = new JsonArray(command, "true");
        bundle.Config["process"]!["noNewPrivileges"] = true;
        bundle.Linux["seccomp"] = seccomp is null ? null : JsonNode.Parse(seccomp);
        bundle.Write();
        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} create --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        return bundle;
    }

    /// <summary>Refused in one line; the container is stopped and can be deleted.</summary>
    private static void Fails(Bundle bundle, params string[] words)
    {
        RunResult start = bundle.Call("start", bundle.Id);
        start.Fails(1, words);
        Assert.Single(start.Stderr.TrimEnd('\n').Split('\n'));
        Assert.Equal("stopped", (string)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["status"]!);
        bundle.Call("start", bundle.Id).Fails(1, "cannot start a container that has stopped");
        bundle.Call("delete", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void Start_PausedBeforeItsStart_WaitsForResume()
    {
        Bundle bundle = Created("/payload");
        string Status() => (string)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["status"]!;
        bundle.Call("pause", bundle.Id).Ok();
        Assert.Equal("paused", Status());
        bundle.Call("resume", bundle.Id).Ok();
        Assert.Equal("created", Status());
        bundle.Call("pause", bundle.Id).Ok();

        using HullProcess start = Store.Start("runtime", "--root", Store.RuntimeRoot, "start", bundle.Id);
        Wait.Until(() => !File.Exists($"{Store.RuntimeRoot}/{bundle.Id}/exec.fifo"), 5, () => "the gate is still there");
        Assert.False(start.HasExited);
        bundle.Call("resume", bundle.Id).Ok();

        start.Finish().Ok();
        bundle.Call("delete", "--force", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void Start_CommandIsGone_SaysSo()
    {
        Bundle bundle = Created("/payload");
        File.Delete($"{bundle.Directory}/rootfs/payload");

        Fails(bundle, "exec: \"/payload\": no such file or directory in the image");
    }

    [KernelFact(Needs.Root)]
    public void Start_CommandMayNotBeExecutedAnyMore_SaysSo()
    {
        Bundle bundle = Created("/payload");
        File.SetUnixFileMode($"{bundle.Directory}/rootfs/payload", UnixFileMode.UserRead);

        Fails(bundle, "exec: \"/payload\": permission denied: the file is not executable");
    }

    [KernelFact(Needs.Root)]
    public void Start_CommandBecameAScriptWithoutInterpreter_NamesTheInterpreter()
    {
        Bundle bundle = Created("/payload");
        File.WriteAllText($"{bundle.Directory}/rootfs/payload", "#!/no/such/shell\n");

        Fails(bundle, "exec: \"/payload\": its interpreter /no/such/shell");
    }

    [KernelFact(Needs.Root)]
    public void Start_CommandOnABindMountIsGone_LooksThere()
    {
        Bundle bundle = new(Store, "true");
        string bound = $"{Store.Scratch}/bound-{Guid.NewGuid():n}";
        Directory.CreateDirectory(bound);
        File.Copy("/bin/busybox", $"{bound}/true");
        bundle.Config["mounts"]!.AsArray().Add(new JsonObject { ["destination"] = "/bound", ["source"] = bound, ["options"] = new JsonArray("bind") });
        bundle.Config["process"]!["args"] = new JsonArray("/bound/true");
        bundle.Write();
        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} create --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        File.WriteAllText($"{bound}/true", "neither program nor script");

        Fails(bundle, "exec: \"/bound/true\": exec format error");
    }

    [KernelFact(Needs.Root)]
    public void Start_FilterThatForbidsOurOwnCall_NamesTheCall()
    {
        Bundle bundle = Created("/payload", """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["close_range"],"action":"SCMP_ACT_ERRNO"}]}""");

        Fails(bundle, "close_range /payload: EPERM (Operation not permitted)");
    }
}
