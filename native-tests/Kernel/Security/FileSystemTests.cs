using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>Images and containers whose links lead to the host: nothing the engine does for them may follow (section 2 of the
/// corpus, 4 where it concerns <c>run</c>, and 9.4). The canary and the mount table are looked at after every test.</summary>
public sealed class FileSystemTests(HullStore store) : SecurityTest(store)
{
    /// <summary>Every path that a start touches.</summary>
    public static TheoryData<string> Touched => new(
        "etc", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", "etc/passwd", "etc/group", "dev", "dev/null", "dev/pts", "dev/ptmx",
        "dev/shm", "dev/mqueue", "dev/console", "dev/stdin", "dev/fd", "proc", "sys", "sys/fs/cgroup", "run", "tmp", "root", "home", "var");

    [KernelTheory(Needs.Root)]
    [MemberData(nameof(Touched))]
    public void RunExecStop_PathIsALinkToTheHost_HostUntouched_CVE_2015_3627_CVE_2026_41579_CVE_2025_54867_CVE_2024_9341_CVE_2024_5154(string path)
    {
        foreach ((string kind, string target) in new[] { ("folder", Canary.Folder), ("file", Canary.File), ("climb", "../../../../../../.." + Canary.Folder) })
        {
            string image = new HostileImage(Store, $"farm-{path.Replace('/', '-').Replace('.', '-')}-{kind}").Link(path, target).Load();
            string name = $"farm-{kind}";

            RunResult run = Hull("run", "-d", "--name", name, "-v", $"{Store.Name}-v:/mnt", "--tmpfs", "/mnt2", image, "sleep", "1000");
            AssertWorkedOrRefused(run);
            if (run.ExitCode == 0)
            {
                AssertWorkedOrRefused(Hull("exec", name, "true"));
                AssertWorkedOrRefused(Hull("exec", name, "sh", "-c", "echo pwned > /etc/hosts; echo pwned > /etc/resolv.conf; echo pwned > /dev/shm/x"));
                AssertWorkedOrRefused(Hull("stop", "-t", "0", name));
                AssertWorkedOrRefused(Hull("start", name));
            }

            Hull("rm", "-f", "-v", name);
            Hull("rmi", "-f", image).Ok();
            Canary.AssertIntact(run.Stdout);
        }
    }

    [KernelTheory(Needs.Root)]
    [InlineData("proc")]
    [InlineData("sys")]
    public void Run_ProcOrSysIsALinkInside_IsStillTheKernels_CVE_2023_28642_CVE_2019_19921(string path)
    {
        string image = new HostileImage(Store, $"inner-{path}").Folder("tmp/fake").Text("tmp/fake/kcore", "fake").Link(path, "/tmp/fake").Load();

        RunResult result = Hull("run", "--rm", image, "sh", "-c", "grep -c . /proc/self/status; cat /proc/kcore | wc -c; grep '/proc \\|/sys ' /proc/mounts");

        AssertWorkedOrRefused(result);
        Assert.DoesNotContain("/tmp/fake", result.Stdout, StringComparison.Ordinal);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("/proc")]
    [InlineData("/proc/self")]
    [InlineData("/proc/self/attr")]
    [InlineData("/proc/sys")]
    public void Run_VolumeOverProc_IsRefused_CVE_2019_16884_CVE_2015_3631(string target)
    {
        string source = Directory.CreateDirectory($"{Store.Scratch}/fake-proc").FullName;

        Hull("run", "--rm", "-v", $"{source}:{target}", Store.Busybox, "true").Fails(125, target);
        string image = new HostileImage(Store, $"volume{target.Replace('/', '-')}").Config("Volumes", new JsonObject { [target] = new JsonObject() }).Load();
        Hull("run", "--rm", image, "true").Fails(125, target);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("/link/new/deep")]
    [InlineData("/link/../../../../../../link/x")]
    [InlineData("/climb/new")]
    [InlineData("/file/x")]
    public void Run_WorkingDirectoryThroughALink_IsMadeInside_CVE_2026_55686(string directory)
    {
        string image = new HostileImage(Store, "workdir").Link("link", Canary.Folder).Link("file", Canary.File)
            .Link("climb", "../../../../../.." + Canary.Folder).Config("WorkingDir", directory).Load();

        AssertWorkedOrRefused(Hull("run", "--rm", image, "pwd"));
        AssertWorkedOrRefused(Hull("run", "--rm", "-u", "1000", image, "pwd"));
        AssertWorkedOrRefused(Hull("run", "--rm", "-w", directory + "2", image, "pwd"));
        string name = Hull("run", "-d", image, "sleep", "1000") is { ExitCode: 0 } started ? started.Ok() : "";
        if (name.Length > 0)
        {
            AssertWorkedOrRefused(Hull("exec", "-w", directory + "3", name, "pwd"));
        }
    }

    [KernelTheory(Needs.Root)]
    [InlineData("/../../../../etc")]
    [InlineData("/link")]
    [InlineData("/link/inside")]
    [InlineData("/climb/dir")]
    [InlineData("relative")]
    public void Run_VolumeOfTheImageThroughALink_CopiesNothingOfTheHost_CVE_2022_23648(string volume)
    {
        string image = new HostileImage(Store, "volumes").Link("link", Canary.Folder).Link("climb", "../../../../../.." + Canary.Root)
            .Config("Volumes", new JsonObject { [volume] = new JsonObject() }).Load();

        RunResult result = Hull("run", "--rm", image, "sh", "-c", $"cat /link/* /climb/*/* {volume}/* {volume}/*/* 2>/dev/null; cat /etc/passwd");

        AssertWorkedOrRefused(result);
        Canary.AssertIntact(result.Stdout);
        Assert.DoesNotContain("systemd", result.Stdout, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Run_MountOnALink_LandsInside_CVE_2019_18837()
    {
        string source = Directory.CreateDirectory($"{Store.Scratch}/source").FullName;
        File.WriteAllText($"{source}/mark", "mark");
        string image = new HostileImage(Store, "last-link").Link("last", Canary.Folder).Link("last-file", Canary.File).Load();

        RunResult folder = Hull("run", "--rm", "-v", $"{source}:/last", image, "sh", "-c", "cat /last/mark; ls /last");
        AssertWorkedOrRefused(folder);
        Canary.AssertIntact(folder.Stdout);
        RunResult file = Hull("run", "--rm", "-v", $"{source}/mark:/last-file", image, "cat", "/last-file");
        AssertWorkedOrRefused(file);
        Canary.AssertIntact(file.Stdout);
    }

    [KernelFact(Needs.Root)]
    public void Start_MountpointReplacedByALink_LandsInside_CVE_2015_3629()
    {
        string source = Directory.CreateDirectory($"{Store.Scratch}/respawn").FullName;
        Detached("respawn", ["-v", $"{source}:/data/sub", "-v", $"{source}:/other/deep/sub"]);
        Hull("exec", "respawn", "sh", "-c", $"mv /data /data2; ln -s {Canary.Folder} /data; mv /other/deep /o2; ln -s {Canary.Root} /other/deep").Ok();
        Hull("stop", "-t", "0", "respawn").Ok();

        AssertWorkedOrRefused(Hull("start", "respawn"));
        Canary.AssertIntact();
        AssertWorkedOrRefused(Hull("restart", "-t", "0", "respawn"));
    }

    [KernelFact(Needs.Root)]
    public void Run_VolumeWithData_KeepsIt_CVE_2020_1726()
    {
        string image = new HostileImage(Store, "prepopulated").Text("data/mine", "of the image").Text("data/new", "of the image").Load();
        Hull("run", "--rm", "-v", "prepopulated:/data", Store.Busybox, "sh", "-c", "echo of the user > /data/mine").Ok();

        string seen = Hull("run", "--rm", "-v", "prepopulated:/data", image, "cat", "/data/mine").Ok();

        Assert.Equal("of the user", seen);
    }

    [KernelFact(Needs.Root)]
    public void Run_VolumeFilledByTheImage_LinksAreCopiedAsLinks_CVE_2022_23648()
    {
        string image = new HostileImage(Store, "filled").Folder("data").Link("data/file", Canary.File).Link("data/dir", Canary.Folder).Load();

        Assert.Equal($"{Canary.File}\n{Canary.Folder}", Hull("run", "--rm", "-v", "filled:/data", image, "sh", "-c", "readlink /data/file; readlink /data/dir").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_TerminalWithConsoleLink_HostUntouched_CVE_2025_52565()
    {
        string image = new HostileImage(Store, "console").Folder("dev").Link("dev/console", Canary.File).Link("dev/pts", Canary.Folder).Load();

        AssertWorkedOrRefused(Hull("run", "--rm", "-t", image, "sh", "-c", "tty; echo pwned > /dev/console"));
    }

    [KernelFact(Needs.Root)]
    public void Run_LowerLayersAreShared_WritesStayInTheContainer_CVE_2022_0847()
    {
        InBusybox("echo changed >> /etc/passwd; chmod 777 /bin/busybox; rm /etc/group").Ok();

        Assert.DoesNotContain("changed", InBusybox("cat /etc/passwd /etc/group").Ok(), StringComparison.Ordinal);
    }
}
