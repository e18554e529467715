using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime</c> from one call to the next: what engines ask of runc.</summary>
public sealed class RuntimeCommandTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root)]
    public void PauseResume_StopTheProcessesAndLetThemGoOn()
    {
        using RunningBundle container = new(Store);
        Assert.Equal("running", container.Status);

        container.Bundle.Call("pause", container.Id).Ok();
        Assert.Equal("paused", container.Status);
        container.Bundle.Call("pause", container.Id).Fails(1, "container not running");
        container.Bundle.Call("exec", container.Id, "true").Fails(1, "paused");

        container.Bundle.Call("resume", container.Id).Ok();
        Assert.Equal("running", container.Status);
        container.Bundle.Call("resume", container.Id).Fails(1, "container not paused");
        container.Bundle.Call("exec", container.Id, "true").Ok();
    }

    [KernelFact(Needs.Root)]
    public void Delete_Paused_IsRefusedWithoutForce()
    {
        using RunningBundle container = new(Store);
        container.Bundle.Call("pause", container.Id).Ok();

        container.Bundle.Call("delete", container.Id).Fails(1, "not stopped: paused");
    }

    [KernelFact(Needs.Root)]
    public void Ps_JsonAndTable_HaveEveryProcess()
    {
        using RunningBundle container = new(Store, "sleep 1001 & sleep 1002 & wait");
        Wait.Until(() => JsonNode.Parse(container.Bundle.Call("ps", "--format", "json", container.Id).Ok())!.AsArray().Count == 3, 5, () => "not three processes");

        string[] table = container.Bundle.Call("ps", container.Id).Ok().Split('\n');
        Assert.Matches("^UID +PID +PPID +C +STIME +TTY +TIME +CMD$", table[0]);
        Assert.Equal(4, table.Length);
        Assert.Contains(table, line => line.EndsWith("sleep 1001", StringComparison.Ordinal));
        Assert.Equal("PID", container.Bundle.Call("ps", container.Id, "-o", "pid").Ok().Split('\n')[0]);
        container.Bundle.Call("ps", "--format", "xml", container.Id).Fails(1, "table and json");
    }

    [KernelFact(Needs.Root)]
    public void List_JsonAndTable_AreRuncs()
    {
        using RunningBundle container = new(Store);

        JsonNode listed = JsonNode.Parse(container.Bundle.Call("list", "--format", "json").Ok())!.AsArray().Single(one => (string)one!["id"]! == container.Id)!;
        Assert.Equal(("running", container.Bundle.Directory, "root"), ((string)listed["status"]!, (string)listed["bundle"]!, (string)listed["owner"]!));
        Assert.Equal($"{container.Bundle.Directory}/rootfs", (string)listed["rootfs"]!);
        Assert.True((int)listed["pid"]! > 1);

        Assert.Matches("^ID +PID +STATUS +BUNDLE +CREATED +OWNER$", container.Bundle.Call("list").Ok().Split('\n')[0]);
        Assert.Contains(container.Id, container.Bundle.Call("list", "-q").Ok().Split('\n'));
    }

    [KernelFact(Needs.Root)]
    public void Exec_FlagsOfTheCommandLine_Apply()
    {
        using RunningBundle container = new(Store);

        string status = container.Bundle.Call(
            "exec", "--user", "1000:1000", "--additional-gids", "42", "--cap", "CAP_NET_RAW", "--no-new-privs", container.Id, "cat", "/proc/self/status").Ok();

        Assert.Matches(@"(?m)^Uid:\t1000\t1000\t1000\t1000$", status);
        Assert.Matches(@"(?m)^Groups:\t42 $", status);
        Assert.Matches(@"(?m)^NoNewPrivs:\t1$", status);
        // NET_RAW is number 13; the bundle has MKNOD 27, DAC_OVERRIDE 1, KILL 5, SETUID 7, SETGID 6.
        Assert.Matches(@"(?m)^CapBnd:\t00000000080020e2$", status);
        Assert.Matches(@"(?m)^CapInh:\t0{16}$", status);
        container.Bundle.Call("exec", "--cap", "CAP_NOSUCH", container.Id, "true").Fails(1, "CAP_NOSUCH");
        container.Bundle.Call("exec", "--additional-gids", "x", container.Id, "true").Fails(1, "--additional-gids x");
    }

    [KernelFact(Needs.Root)]
    public void Exec_BundleChangedOrGone_TakesTheSpecOfTheCreate()
    {
        using RunningBundle container = new(Store, change: bundle =>
        {
            bundle.Config["process"]!["env"]!.AsArray().Add("FROM=create");
            bundle.Config["annotations"] = new JsonObject { ["org.example"] = "kept" };
        });
        container.Bundle.Config["process"]!["env"] = new JsonArray("PATH=/bin", "FROM=later");
        container.Bundle.Write();
        Assert.Equal("create", container.Bundle.Call("exec", container.Id, "sh", "-c", "echo $FROM").Ok());

        File.Delete($"{container.Bundle.Directory}/config.json");
        Assert.Equal("create", container.Bundle.Call("exec", container.Id, "sh", "-c", "echo $FROM").Ok());
        Assert.Equal(("kept", "root"), ((string)container.State["annotations"]!["org.example"]!, (string)container.State["owner"]!));
    }

    [KernelFact(Needs.Root)]
    public void Delete_WhatAKilledCreateLeft_IsRemovedByForce()
    {
        Bundle bundle = new(Store, "true");
        string left = $"{Store.RuntimeRoot}/{bundle.Id}";
        Directory.CreateDirectory(left);
        File.WriteAllText($"{left}/lock", "");
        bundle.Write();
        bundle.Call("create", "--bundle", bundle.Directory, bundle.Id).Fails(1, "exists");

        bundle.Call("delete", bundle.Id).Fails(1, "does not exist");
        bundle.Call("delete", "--force", bundle.Id).Ok();

        Assert.False(Directory.Exists(left));
    }

    [KernelFact(Needs.Root)]
    public void Spec_Written_RunsAndIsNotOverwritten()
    {
        Bundle bundle = new(Store, "true");
        bundle.Call("spec", "--bundle", bundle.Directory).Ok();
        bundle.Call("spec", "--bundle", bundle.Directory).Fails(1, "exists. Remove it first");

        JsonNode spec = JsonNode.Parse(File.ReadAllText($"{bundle.Directory}/config.json"))!;
        Assert.Equal(("rootfs", "sh", true), ((string)spec["root"]!["path"]!, (string)spec["process"]!["args"]![0]!, (bool)spec["process"]!["terminal"]!));
        spec["process"]!["terminal"] = false;
        spec["process"]!["args"] = new JsonArray("sh", "-c", "echo from-the-template; grep NoNewPrivs /proc/self/status");
        File.WriteAllText($"{bundle.Directory}/config.json", spec.ToJsonString());

        Assert.Equal("from-the-template\nNoNewPrivs:\t1", bundle.Call("run", "--bundle", bundle.Directory, bundle.Id).Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_RelativeBindSource_IsOfTheBundleWhereverTheCallerIs()
    {
        Bundle bundle = new(Store, "cat /shared/file");
        string elsewhere = $"{Store.Scratch}/elsewhere-{Guid.NewGuid():n}";
        foreach (string place in (string[])[bundle.Directory, elsewhere])
        {
            Directory.CreateDirectory($"{place}/shared");
            File.WriteAllText($"{place}/shared/file", place == elsewhere ? "the caller's\n" : "the bundle's\n");
        }

        bundle.Config["mounts"]!.AsArray().Add(new JsonObject { ["destination"] = "/shared", ["source"] = "shared", ["options"] = new JsonArray("rbind") });
        bundle.Write();

        Assert.Equal("the bundle's", Store.Shell($"cd {elsewhere} && $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}").Ok());

        Directory.Delete($"{bundle.Directory}/shared", recursive: true);
        Store.Shell($"cd {elsewhere} && $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}")
            .Fails(1, $"bind source path does not exist: {bundle.Directory}/shared");
    }

    [KernelFact(Needs.Root)]
    public void Log_Failure_IsAppendedInBothFormats()
    {
        Bundle bundle = new(Store, "true");
        string log = $"{Store.Scratch}/runtime.log";

        Store.Run("runtime", "--log", log, "--log-format", "json", "state", "no-such").Fails(1, "container does not exist: no-such");
        Store.Run("runtime", "--log", log, "state", "no-such").Fails(1);
        Store.Run("runtime", "--log", log, "--log-format", "xml", "state", "no-such").Fails(1, "unknown log-format 'xml'");

        Store.Run("runtime", "--log", log, "--log-format", "json", "state", "--no-such", "x").Fails(1, "unknown option --no-such");
        Store.Run("runtime", "--log", log, "--log-format", "json", "no-such").Fails(1, "unknown command 'no-such'");

        string[] lines = File.ReadAllLines(log);
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("unknown option --no-such of 'hull runtime state'", (string)JsonNode.Parse(lines[2])!["msg"]!, StringComparison.Ordinal);
        Assert.StartsWith("unknown command 'no-such'", (string)JsonNode.Parse(lines[3])!["msg"]!, StringComparison.Ordinal);
        JsonNode json = JsonNode.Parse(lines[0])!;
        Assert.Equal(("error", "container does not exist: no-such"), ((string)json["level"]!, (string)json["msg"]!));
        Assert.Matches("^time=\"[^\"]+\" level=error msg=\"container does not exist: no-such\"$", lines[1]);
    }

    [KernelFact(Needs.Root)]
    public void VersionAndHelp_AreThere()
    {
        Assert.Matches(@"^hull-runtime version \d+\.\d+\.\d+\ncommit: \S+\nspec: \d+\.\d+\.\d+$", Hull("runtime", "--version").Ok());
        Assert.Contains("hull runtime [--root DIR]", Hull("runtime", "--help").Ok(), StringComparison.Ordinal);
        Assert.Equal("1.0.0", (string)JsonNode.Parse(Hull("runtime", "features").Ok())!["ociVersionMin"]!);
        Hull("runtime", "features", "x").Fails(1, "'x' is one word too many");
        Hull("runtime", "nosuch").Fails(1, "unknown command 'nosuch'");
    }

    [KernelTheory(Needs.Root)]
    [InlineData("nosuch", "exec: \"nosuch\": executable file not found in $PATH")]
    [InlineData("/bin/nosuch", "exec: \"/bin/nosuch\": no such file or directory in the image")]
    [InlineData("/tmp", "exec: \"/tmp\": is a directory: permission denied")]
    [InlineData("/proc/version", "exec: \"/proc/version\": permission denied: the file is not executable")]
    public void Create_CommandThatCannotBe_FailsAtOnceAndLeavesNothing(string command, string words)
    {
        Bundle bundle = new(Store, "");
        bundle.Config["process"]!["args"] = new JsonArray(command);
        bundle.Write();

        bundle.Call("create", "--bundle", bundle.Directory, bundle.Id).Fails(1, words);

        bundle.Call("state", bundle.Id).Fails(1, "does not exist");
        Assert.Null(bundle.Cgroup("pids", "cgroup.procs", "cgroup.procs"));
    }

    [KernelFact(Needs.Root)]
    public void Run_RootOnASharedMount_MountsOfTheContainerStayInside()
    {
        Bundle bundle = new(Store, "mount -t tmpfs inside /tmp && grep -c ' /tmp ' /proc/mounts");
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Config["process"]!["capabilities"]![set]!.AsArray().Add("CAP_SYS_ADMIN");
        }

        bundle.Write();
        string rootfs = $"{bundle.Directory}/rootfs";

        string seen = Store.Shell($"""
            unshare --mount --propagation private sh -c '
                mount --bind {rootfs} {rootfs} && mount --make-shared {rootfs} &&
                $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}
                grep -c "inside" /proc/mounts'
            """).Stdout;

        Assert.Equal("1\n0\n", seen);
    }

    [KernelFact(Needs.Root)]
    public void Run_BindMountBelowTheCgroupMount_LiesOverIt()
    {
        Directory.CreateDirectory($"{Store.Scratch}/shown");
        File.WriteAllText($"{Store.Scratch}/shown/file", "mine\n");
        string place = Machine.CgroupV1Mount("pids") is null ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
        Bundle bundle = new(Store, $"cat {place}/file");
        bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = place,
            ["type"] = "bind",
            ["source"] = $"{Store.Scratch}/shown",
            ["options"] = new JsonArray("bind", "ro"),
        });

        Assert.Equal("mine", bundle.Run().Ok());
    }
}
