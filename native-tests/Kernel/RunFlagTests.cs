using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The flags of <c>hull run</c>: each does what it says.</summary>
public sealed class RunFlagTests(HullStore store) : KernelTest(store)
{
    private string File(string name, string content)
    {
        string path = Path.Combine(Store.Scratch, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    [KernelFact(Needs.Root)]
    public void Env_GivenByFlagAndFile_LaterWins()
    {
        string file = File("env", "# comment\nA=file\nB=file with spaces\n\nC\n");

        string environment = InBusybox("env", "--env-file", file, "-e", "A=flag", "-e", "EMPTY=").Ok();

        string[] lines = environment.Split('\n');
        Assert.Contains("A=flag", lines);
        Assert.Contains("B=file with spaces", lines);
        Assert.Contains("EMPTY=", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("C=", StringComparison.Ordinal));
    }

    [KernelFact(Needs.Root)]
    public void Env_NameAlone_TakesTheCallersValue()
    {
        Assert.Equal("of the caller", Store.Shell($"WORD='of the caller' $HULL run --rm -e WORD {Store.Busybox} sh -c 'echo $WORD'").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Env_Defaults_AreDockers()
    {
        string[] lines = [.. Store.Run("run", "--rm", Store.Busybox, "env").Ok().Split('\n').Select(line => line.Split('=')[0]).Order(StringComparer.Ordinal)];

        Assert.Equal(["HOME", "HOSTNAME", "PATH"], lines);
    }

    [KernelFact(Needs.Root)]
    public void Workdir_Missing_IsMade()
    {
        Assert.Equal("/a/new/place", InBusybox("pwd", "-w", "/a/new/place").Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("tester", "uid=1000(tester) gid=1000(tester) groups=29(audio),50(staff),1000(tester)")]
    [InlineData("1000", "uid=1000(tester) gid=1000(tester) groups=29(audio),50(staff),1000(tester)")]
    [InlineData("1000:50", "uid=1000(tester) gid=50(staff) groups=50(staff)")]
    [InlineData("tester:audio", "uid=1000(tester) gid=29(audio) groups=29(audio)")]
    [InlineData("4242", "uid=4242 gid=0(root) groups=0(root)")]
    [InlineData("4242:4343", "uid=4242 gid=4343 groups=4343")]
    public void User_OfEachForm_HasItsIds(string user, string expected)
    {
        string id = Store.Run("run", "--rm", "-u", user, Store.Busybox, "id").Ok();

        // busybox prints the groups in the kernel's order; compare them as a set.
        Assert.Equal(Normalize(expected), Normalize(id));

        static string Normalize(string text)
        {
            string[] halves = text.Split(" groups=");
            return halves[0] + " groups=" + string.Join(',', (halves.Length > 1 ? halves[1] : "").Split(',').Order(StringComparer.Ordinal));
        }
    }

    [KernelFact(Needs.Root)]
    public void GroupAdd_NameAndNumber_AreSupplementary()
    {
        string groups = Store.Run("run", "--rm", "-u", "1000:1000", "--group-add", "staff", "--group-add", "777", Store.Busybox, "id", "-G").Ok();

        Assert.Equal(["50", "777", "1000"], groups.Split(' ').Distinct().OrderBy(int.Parse));
    }

    [KernelFact(Needs.Root)]
    public void Entrypoint_Given_ReplacesImageCommand()
    {
        Assert.Equal("a b", Store.Run("run", "--rm", "--entrypoint", "/bin/echo", Store.Busybox, "a", "b").Ok());
    }

    [KernelFact(Needs.Root)]
    public void ReadOnly_Root_RefusesWritesButVolumesTakeThem()
    {
        RunResult result = InBusybox("echo x > /file; echo y > /tmp/file && cat /tmp/file", "--read-only", "--tmpfs", "/tmp");

        Assert.Equal("y", result.Ok());
        Assert.Contains("Read-only file system", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Tmpfs_WithOptions_HasThem()
    {
        string mount = InBusybox("grep ' /scratch ' /proc/mounts; stat -c %a /scratch", "--tmpfs", "/scratch:size=1m,mode=1770").Ok();

        Assert.Contains("tmpfs /scratch tmpfs rw,nosuid,nodev,noexec", mount, StringComparison.Ordinal);
        Assert.Contains("size=1024k", mount, StringComparison.Ordinal);
        Assert.EndsWith("1770", mount, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Volume_Bind_SharesADirectoryBothWays()
    {
        string file = File("share/in", "from the host");
        string share = Path.GetDirectoryName(file)!;

        Assert.Equal("from the host", InBusybox("cat /data/in; echo back > /data/out", "-v", $"{share}:/data").Ok());

        Assert.Equal("back\n", System.IO.File.ReadAllText(Path.Combine(share, "out")));
    }

    [KernelFact(Needs.Root)]
    public void Volume_BindReadOnly_RefusesWrites()
    {
        string share = Path.GetDirectoryName(File("ro/in", "x"))!;

        RunResult result = InBusybox("echo y > /data/in", "-v", $"{share}:/data:ro");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Read-only file system", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Volume_BindMissingSource_IsMadeAsDirectory()
    {
        string missing = Path.Combine(Store.Scratch, "made/by/hull");

        InBusybox("test -d /data", "-v", $"{missing}:/data").Ok();

        Assert.True(Directory.Exists(missing));
    }

    [KernelFact(Needs.Root)]
    public void Volume_Named_KeepsDataBetweenContainersAndTakesTheImagesFirst()
    {
        // A new volume starts with what the image has at that place (docker's copy-up).
        Assert.Contains("passwd", InBusybox("ls /etc; echo kept > /etc/note", "-v", "named:/etc").Ok(), StringComparison.Ordinal);

        Assert.Equal("kept", InBusybox("cat /v/note", "-v", "named:/v").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Mount_BindReadOnly_AsVolume()
    {
        string share = Path.GetDirectoryName(File("mount/in", "x"))!;

        RunResult result = InBusybox("cat /data/in && ! echo y > /data/in", "--mount", $"type=bind,source={share},target=/data,readonly");

        Assert.Equal("x", result.Ok());
    }

    [KernelFact(Needs.Root)]
    public void Mount_BindMissingSource_Fails()
    {
        InBusybox("true", "--mount", $"type=bind,source={Store.Scratch}/nothing,target=/data").Fails(125, $"{Store.Scratch}/nothing");
    }

    [KernelFact(Needs.Root)]
    public void Mount_Tmpfs_HasItsSize()
    {
        Assert.Contains("size=2048k", InBusybox("grep ' /t ' /proc/mounts", "--mount", "type=tmpfs,destination=/t,tmpfs-size=2m").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Volumes_AfterTheEnd_LeaveTheHostsMountsAlone()
    {
        string before = System.IO.File.ReadAllText("/proc/self/mountinfo");

        InBusybox("mount -t tmpfs x /mnt 2>/dev/null; true", "-v", $"{Store.Scratch}:/data", "--cap-add", "SYS_ADMIN").Ok();

        Assert.Equal(before, System.IO.File.ReadAllText("/proc/self/mountinfo"));
    }

    [KernelFact(Needs.Devices)]
    public void Device_Given_IsThereWithItsPermissions()
    {
        Assert.Equal("1 5", InBusybox("stat -c '%t %T' /dev/given; dd if=/dev/given of=/dev/null bs=1 count=1 2>/dev/null",
            "--device", "/dev/zero:/dev/given:r").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Device_Missing_Fails()
    {
        InBusybox("true", "--device", "/dev/no-such-device").Fails(125, "/dev/no-such-device");
    }

    [KernelFact(Needs.Root)]
    public void Ulimit_Nofile_IsSoftAndHard()
    {
        Assert.Equal("512\n1024", InBusybox("ulimit -Sn; ulimit -Hn", "--ulimit", "nofile=512:1024").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Sysctl_OfANamespace_IsSetInsideOnly()
    {
        string host = System.IO.File.ReadAllText("/proc/sys/kernel/shmmni");

        Assert.Equal("77", InBusybox("cat /proc/sys/kernel/shmmni", "--sysctl", "kernel.shmmni=77").Ok());

        Assert.Equal(host, System.IO.File.ReadAllText("/proc/sys/kernel/shmmni"));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("kernel.core_pattern=x")]
    [InlineData("vm.swappiness=1")]
    [InlineData("kernel.shm_rmid_forced=1+kernel.core_pattern=x")]
    public void Sysctl_OfTheHost_IsRefused(string setting)
    {
        InBusybox("true", "--sysctl", setting).Fails(125, setting.Split('=')[0]);
    }

    [KernelFact(Needs.Root)]
    public void Init_Flag_ReapsOrphans()
    {
        string script = "(sh -c 'sleep 0.1 &' &); sleep 0.6; cat /proc/[0-9]*/stat | grep -c ') Z '; cat /proc/1/comm";

        string[] lines = InBusybox(script, "--init").Ok().Split('\n');

        Assert.Equal("0", lines[0]);
        Assert.NotEqual("sh", lines[1]);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("--pid", "pid")]
    [InlineData("--ipc", "ipc")]
    [InlineData("--uts", "uts")]
    [InlineData("--cgroupns", "cgroup")]
    [InlineData("--network", "net")]
    public void NamespaceFlag_Host_SharesIt(string flag, string name)
    {
        Assert.Equal(Store.Shell($"readlink /proc/self/ns/{name}").Ok(), InBusybox($"readlink /proc/self/ns/{name}", flag, "host").Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("--pid", "pid")]
    [InlineData("--ipc", "ipc")]
    [InlineData("--network", "net")]
    public void NamespaceFlag_Container_JoinsIt(string flag, string name)
    {
        Detached("first", flag == "--ipc" ? ["--ipc", "shareable"] : null);
        string first = Store.Run("exec", "first", "readlink", $"/proc/self/ns/{name}").Ok();

        Assert.Equal(first, InBusybox($"readlink /proc/self/ns/{name}", flag, "container:first").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Network_None_HasLoopbackOnly()
    {
        Assert.Equal("lo", InBusybox("ls /sys/class/net", "--network", "none").Ok());
    }

    [KernelFact(Needs.Root)]
    public void CidFile_IsWrittenAndNotOverwritten()
    {
        string file = Path.Combine(Store.Scratch, "cid");
        string id = Store.Run("run", "-d", "--cidfile", file, Store.Busybox, "sleep", "100").Ok();

        Assert.Equal(id, System.IO.File.ReadAllText(file));
        Store.Run("run", "--rm", "--cidfile", file, Store.Busybox, "true").Fails(125, file);
        System.IO.File.Delete(file);
    }

    [KernelFact(Needs.Root)]
    public void Label_Given_IsInspectedAndFilters()
    {
        Detached("labelled", ["--label", "tier=front", "-l", "flag"]);
        Detached("other");

        Assert.Equal("front", Inspect("labelled", "{{index .Config.Labels \"tier\"}}"));
        Assert.Equal("labelled", Store.Run("ps", "--filter", "label=tier=front", "--format", "{{.Names}}").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Pull_Never_DoesNotAskARegistry()
    {
        Store.Run("run", "--rm", "--pull", "never", "absent-image", "true").Fails(125, "absent-image");
    }

    [KernelFact(Needs.Root)]
    public void OomScoreAdjust_Given_IsSet()
    {
        Assert.Equal("500", InBusybox("cat /proc/self/oom_score_adj", "--oom-score-adj", "500").Ok());
    }

    [KernelFact(Needs.Root)]
    public void DryRun_Spec_IsAnOciConfigAndStartsNothing()
    {
        string spec = Store.Run("run", "--dry-run=spec", "--name", "never", "-h", "dry", Store.Busybox, "true").Ok();

        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(spec);
        Assert.Equal("dry", document.RootElement.GetProperty("hostname").GetString());
        Assert.Equal("true", document.RootElement.GetProperty("process").GetProperty("args")[0].GetString());
        Assert.Equal("", Store.Run("ps", "-aq").Ok());
    }

    [KernelFact(Needs.Root)]
    public void DryRun_Plan_NamesTheStepsWithReasons()
    {
        string plan = Store.Run("run", "--dry-run=plan", Store.Busybox, "true").Ok();

        Assert.Contains("clone3", plan, StringComparison.Ordinal);
        Assert.Contains("pivot_root", plan, StringComparison.Ordinal);
        Assert.Contains("execve", plan, StringComparison.Ordinal);
        Assert.Equal("", Store.Run("ps", "-aq").Ok());
    }
}
