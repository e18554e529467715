using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The hooks of a config.json: when, where and with what each runs, and what its failure does.</summary>
public sealed class HookTests(HullStore store) : KernelTest(store)
{
    private const string Shell = "/bin/busybox";

    /// <summary>A hook of busybox's shell. Its path is there on the host and in the bundle's root.</summary>
    private static JsonObject Hook(string script, int? timeout = null, params string[] environment)
    {
        JsonObject hook = new()
        {
            ["path"] = Shell,
            ["args"] = new JsonArray("sh", "-c", script),
            ["env"] = new JsonArray([.. environment.Select(line => JsonValue.Create(line))]),
        };
        if (timeout is not null)
        {
            hook["timeout"] = timeout;
        }

        return hook;
    }

    private Bundle With(string script, params (string Stage, JsonObject Hook)[] hooks)
    {
        Bundle bundle = new(Store, script);
        JsonObject document = [];
        foreach (IGrouping<string, JsonObject> stage in hooks.GroupBy(h => h.Stage, h => h.Hook))
        {
            document[stage.Key] = new JsonArray([.. stage]);
        }

        bundle.Config["hooks"] = document;
        return bundle;
    }

    /// <summary>Creates without the test's streams, which the container would keep open.</summary>
    private RunResult Create(Bundle bundle)
    {
        bundle.Write();
        return Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} create --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2> {bundle.Directory}/error || {{ cat {bundle.Directory}/error >&2; exit 1; }}");
    }

    /// <summary>A bundle each of whose hooks notes its name, its pid namespace and its standard input in a file of its own.</summary>
    private Bundle Witnessed(string script, out string notes)
    {
        notes = $"{Store.Scratch}/notes-{Guid.NewGuid():n}";
        Directory.CreateDirectory(notes);
        string directory = notes;
        JsonObject Witness(string stage, string place) =>
            Hook($"{Shell} echo {stage} >> {place}/order; {Shell} readlink /proc/self/ns/pid > {place}/{stage}.ns; {Shell} cat > {place}/{stage}.state");
        Bundle bundle = With(script, [.. ((string[])["prestart", "createRuntime", "createContainer", "poststart", "poststop"])
            .Select(stage => (stage, Witness(stage, directory))), ("startContainer", Witness("startContainer", "/notes"))]);
        Directory.CreateDirectory($"{bundle.Directory}/rootfs/notes");
        bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = "/notes",
            ["source"] = notes,
            ["options"] = new JsonArray("bind"),
        });
        bundle.Config["annotations"] = new JsonObject { ["key"] = "value" };
        return bundle;
    }

    private static JsonObject State(string notes, string stage) => JsonNode.Parse(File.ReadAllText($"{notes}/{stage}.state"))!.AsObject();

    [KernelFact(Needs.Root)]
    public void Run_PoststartHookThatExecs_DoesNotWaitForUs()
    {
        Bundle bundle = new(Store, "while [ ! -e /tmp/told ]; do sleep 0.05; done");
        string call = $"{Repository.Hull} runtime --root {Store.RuntimeRoot} exec {bundle.Id} sh -c 'echo > /tmp/told'";
        bundle.Config["hooks"] = new JsonObject
        {
            ["poststart"] = new JsonArray(new JsonObject { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", call), ["timeout"] = 10 }),
        };

        Assert.Equal("", bundle.Run().Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("create", "prestart")]
    [InlineData("create", "createRuntime")]
    [InlineData("run", "createRuntime")]
    public void HookThatCallsBack_ContainerIsBeingMade_IsToldSoAndNothingWaits(string verb, string stage)
    {
        string said = $"{Store.Scratch}/said-{Guid.NewGuid():n}";
        Bundle bundle = new(Store, "sleep 0.1");
        string runtime = $"{Repository.Hull} runtime --root {Store.RuntimeRoot}";
        string[] calls = [$"exec {bundle.Id} true", $"kill {bundle.Id} KILL", $"start {bundle.Id}", $"pause {bundle.Id}", $"delete --force {bundle.Id}"];
        string script = $"exec > {said} 2>&1; {runtime} state {bundle.Id}; {string.Join("; ", calls.Select(call => $"{runtime} {call}; echo {call.Split(' ')[0]} $?"))}";
        bundle.Config["hooks"] = new JsonObject
        {
            [stage] = new JsonArray(new JsonObject { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", script), ["timeout"] = 20 }),
        };
        bundle.Write();

        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} {verb} --bundle {bundle.Directory} {bundle.Id} < /dev/null > {said}-2 2>&1 || {{ cat {said}-2 >&2; exit 1; }}").Ok();

        string text = File.ReadAllText(said);
        int end = text.IndexOf("}\n", StringComparison.Ordinal) + 2;
        JsonNode state = JsonNode.Parse(text[..end])!;
        Assert.Equal((bundle.Id, "creating"), ((string)state["id"]!, (string)state["status"]!));
        Assert.True((int)state["pid"]! > 0);
        string refused = $"hull runtime: container {bundle.Id} is being created: try again when create has returned, not from a hook that it waits for\n";
        Assert.Equal(string.Concat(calls.Select(call => $"{refused}{call.Split(' ')[0]} 1\n")), text[end..]);
        if (verb == "create")
        {
            Assert.Equal("created", (string)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["status"]!);
            bundle.Call("delete", "--force", bundle.Id).Ok();
        }
    }

    [KernelFact(Needs.Root)]
    public void Create_KilledInAHook_LeavesWhatDeleteRemoves()
    {
        Bundle bundle = new(Store, "true");
        string here = $"{Store.Scratch}/here-{Guid.NewGuid():n}";
        bundle.Config["hooks"] = new JsonObject
        {
            ["createRuntime"] = new JsonArray(new JsonObject { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", $"echo > {here}; sleep 2") }),
        };
        bundle.Write();
        using HullProcess create = Store.Start("runtime", "--root", Store.RuntimeRoot, "create", "--bundle", bundle.Directory, bundle.Id);
        Wait.Until(() => File.Exists(here), 10, () => create.Stderr);
        create.Kill();
        // The hook has no stream of ours, and the first process ends: so do the pipes.
        create.Finish();

        Wait.Until(() => (string)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["status"]! == "stopped", 10, () => "the first process lives on");
        bundle.Call("delete", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void CreateStartDelete_EveryHook_RunsInOrderWithItsState()
    {
        Bundle bundle = Witnessed("sleep 1000", out string notes);
        string own = File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)!.Name;
        Create(bundle).Ok();
        Assert.Equal("prestart createRuntime createContainer", string.Join(' ', File.ReadAllLines($"{notes}/order")));

        bundle.Call("start", bundle.Id).Ok();
        Assert.Equal("startContainer poststart", string.Join(' ', File.ReadAllLines($"{notes}/order").Skip(3)));
        int pid = (int)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["pid"]!;

        // The bundle may be gone when the container is deleted.
        File.Delete($"{bundle.Directory}/config.json");
        bundle.Call("delete", "--force", bundle.Id).Ok();
        Assert.Equal("poststop", File.ReadAllLines($"{notes}/order")[5]);

        foreach ((string stage, string status, int? number, bool outside) in ((string, string, int?, bool)[])[
            ("prestart", "creating", pid, true), ("createRuntime", "creating", pid, true), ("createContainer", "creating", 1, false),
            ("startContainer", "created", 1, false), ("poststart", "running", pid, true), ("poststop", "stopped", null, true)])
        {
            JsonObject state = State(notes, stage);
            Assert.Equal((stage, bundle.Id, status, bundle.Directory), (stage, (string)state["id"]!, (string)state["status"]!, (string)state["bundle"]!));
            Assert.Equal((stage, "1.0.2", "value"), (stage, (string)state["ociVersion"]!, (string)state["annotations"]!["key"]!));
            Assert.Equal((stage, number), (stage, (int?)state["pid"]));
            string seen = File.ReadAllText($"{notes}/{stage}.ns").Trim();
            Assert.True(seen.Length > 0 && (seen == own) == outside, $"{stage} ran in {seen}, the runtime is in {own}");
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_EveryHook_RunsAroundThePayload()
    {
        Bundle bundle = Witnessed("echo payload >> /notes/order", out string notes);
        Assert.Equal("", bundle.Run().Ok());

        string[] order = File.ReadAllLines($"{notes}/order");
        Assert.Equal(["prestart", "createRuntime", "createContainer", "startContainer"], order[..4]);
        // The payload and poststart run side by side.
        Assert.Equal(["payload", "poststart"], order[4..6].Order());
        Assert.Equal("poststop", order[6]);
    }

    [KernelFact(Needs.Root)]
    public void CreateContainer_Hook_SeesTheMountsAndWritesIntoAReadOnlyRoot()
    {
        Bundle bundle = With("cat /made /proc/self/mountinfo | head -1; echo x > /made || echo read-only",
            ("createContainer", Hook($"pwd > made; test -d proc/self && test -d /proc/self && umask >> made; {Shell} ls .. >> made")));
        bundle.Config["root"]!["readonly"] = true;

        Assert.Equal($"{bundle.Directory}/rootfs\nread-only", bundle.Run().Ok());
        // Beside the root is the bundle still, not what the image has under that name.
        Assert.Equal("0022 config.json rootfs", string.Join(' ', File.ReadAllLines($"{bundle.Directory}/rootfs/made").Skip(1)));
    }

    [KernelFact(Needs.Root)]
    public void Hooks_EnvironmentOfTheContainer_NeverReachesThem_CVE_2025_23266()
    {
        string seen = $"{Store.Scratch}/seen-{Guid.NewGuid():n}";
        string[] stages = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
        Bundle bundle = With("true", [.. stages.Select(stage => (stage, Hook($"{Shell} cat < /proc/self/environ > {seen}-{stage}; {Shell} ls /proc/self/fd > {seen}-{stage}-fd", null, "MINE=1"))),
            ("startContainer", Hook("/bin/busybox cat < /proc/self/environ > /seen; true", null, "MINE=1"))]);
        bundle.Config["process"]!["env"] = new JsonArray("PATH=/bin", "LD_PRELOAD=/evil.so", "SECRET=container");
        bundle.Write();

        Store.Shell($"SECRET=host LD_LIBRARY_PATH=/host $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}").Ok();

        foreach (string file in (string[])[.. stages.Select(stage => $"{seen}-{stage}"), $"{bundle.Directory}/rootfs/seen"])
        {
            Assert.Equal((file, "MINE=1\0"), (file, File.ReadAllText(file)));
        }

        // 3 is ls's own.
        Assert.All(stages, stage => Assert.Equal("0 1 2 3", string.Join(' ', File.ReadAllLines($"{seen}-{stage}-fd"))));
    }

    [KernelFact(Needs.Root)]
    public void StartContainer_Hook_HasThePayloadsRights()
    {
        Bundle bundle = With("true", ("startContainer", Hook("/bin/busybox cat /proc/self/status > /tmp/status")));
        bundle.Config["process"]!["user"] = new JsonObject { ["uid"] = 1000, ["gid"] = 1000 };
        bundle.Config["process"]!["noNewPrivileges"] = true;
        bundle.Linux["seccomp"] = JsonNode.Parse("""{"defaultAction":"SCMP_ACT_ALLOW"}""");
        File.SetUnixFileMode($"{bundle.Directory}/rootfs/tmp", (UnixFileMode)0x1ff);

        bundle.Run().Ok();

        string status = File.ReadAllText($"{bundle.Directory}/rootfs/tmp/status");
        Assert.Matches(@"(?m)^Uid:\t1000\t1000\t1000\t1000$", status);
        Assert.Matches(@"(?m)^CapEff:\t0{16}$", status);
        Assert.Matches(@"(?m)^NoNewPrivs:\t1$", status);
        Assert.Matches(@"(?m)^Seccomp:\t2$", status);
    }

    [KernelFact(Needs.Root)]
    public void Run_FailingHook_IsOneLineAndNothingIsLeft()
    {
        foreach (string stage in (string[])["prestart", "createRuntime", "createContainer", "startContainer"])
        {
            string after = $"{Store.Scratch}/after-{Guid.NewGuid():n}";
            Bundle bundle = With("echo payload",
                (stage, Hook("true")), (stage, Hook("echo one; echo two >&2; exit 7")), (stage, Hook($"echo > {after}-third")), ("poststop", Hook($"{Shell} cat > {after}")));

            RunResult result = bundle.Run();

            Assert.Equal($"hull runtime: hooks.{stage}[1] {Shell}: exit code 7: one / two\n", result.Fails(1));
            Assert.Equal("", result.Stdout);
            Assert.Equal("stopped", (string)JsonNode.Parse(File.ReadAllText(after))!["status"]!);
            Assert.False(File.Exists($"{after}-third"));
            bundle.Call("state", bundle.Id).Fails(1, "container does not exist");
        }
    }

    [KernelFact(Needs.Root)]
    public void Create_FailingHook_RemovesTheContainer()
    {
        Bundle bundle = With("true", ("createContainer", new JsonObject { ["path"] = "/no/such/hook" }));

        Create(bundle).Fails(1, "hooks.createContainer[0] /no/such/hook: cannot be executed: ENOENT (No such file or directory)");

        bundle.Call("state", bundle.Id).Fails(1, "container does not exist");
    }

    [KernelFact(Needs.Root)]
    public void Start_FailingStartContainerHook_FailsAndRemovesTheContainer()
    {
        string after = $"{Store.Scratch}/after-{Guid.NewGuid():n}";
        Bundle bundle = With("touch /payload", ("startContainer", Hook("echo broken >&2; kill -9 $$")), ("poststop", Hook($"{Shell} cat > {after}")));
        Create(bundle).Ok();

        string error = bundle.Call("start", bundle.Id).Fails(1);

        Assert.Equal($"hull runtime: hooks.startContainer[0] {Shell}: killed by signal 9 (SIGKILL): broken\n", error);
        Assert.True(File.Exists(after));
        Assert.False(File.Exists($"{bundle.Directory}/rootfs/payload"));
        bundle.Call("state", bundle.Id).Fails(1, "container does not exist");
    }

    [KernelFact(Needs.Root)]
    public void Run_HookPastItsTimeout_IsKilledWithWhatItStarted()
    {
        foreach (string stage in (string[])["createRuntime", "createContainer", "startContainer"])
        {
            RunResult result = With("true", (stage, Hook($"{Shell} sleep 1003 & {Shell} sleep 1003", timeout: 1))).Run();

            Assert.Equal($"hull runtime: hooks.{stage}[0] {Shell}: not done within its timeout, killed (1 s)\n", result.Fails(1));
            Assert.InRange(result.Elapsed.TotalSeconds, 0.9, 8);
            Assert.DoesNotContain("sleep\01003", string.Concat(Directory.GetDirectories("/proc").Select(CommandLine)), StringComparison.Ordinal);
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_FailingPoststartAndPoststop_WarnAndGoOn()
    {
        string log = $"{Store.Scratch}/hooks-{Guid.NewGuid():n}.log";
        Bundle bundle = With("echo payload", ("poststart", Hook("exit 3")), ("poststop", Hook("exit 4")), ("poststop", Hook($"echo > {log}.second")));
        bundle.Write();

        RunResult result = bundle.Call("--log", log, "run", "--bundle", bundle.Directory, bundle.Id);

        Assert.Equal("payload", result.Ok());
        Assert.Equal(
            $"hull runtime: warning: hooks.poststart[0] {Shell}: exit code 3\nhull runtime: warning: hooks.poststop[0] {Shell}: exit code 4\n", result.Stderr);
        Assert.Matches("level=warning msg=\"hooks.poststart", File.ReadAllLines(log)[0]);
        Assert.True(File.Exists($"{log}.second"));
    }

    [KernelFact(Needs.Root)]
    public void Run_HookThatIsNotToTheSpecification_IsRefusedBeforeAnythingRuns()
    {
        Bundle bundle = With("true", ("prestart", Hook($"echo > {Store.Scratch}/ran")), ("poststop", Hook("true", timeout: 0)));

        bundle.Run().Fails(1, "hooks.poststop[0].timeout: 0 must be greater than zero");

        Assert.False(File.Exists($"{Store.Scratch}/ran"));
    }

    [KernelFact(Needs.Root)]
    public void Run_HookThatWritesMuch_IsNotHeldUp() =>
        Assert.Equal("payload", With("echo payload",
            ("createRuntime", Hook($"{Shell} head -c 300000 /dev/zero")), ("createContainer", Hook($"{Shell} head -c 300000 /dev/zero >&2"))).Run().Ok());

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText($"{directory}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
