using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>The runtime's own process, its descriptors and its binary (section 1 of the corpus, and 9.1, 9.2).</summary>
public sealed class ProcessTests(HullStore store) : SecurityTest(store)
{
    [KernelTheory(Needs.Root)]
    [InlineData("")]
    [InlineData("-i")]
    [InlineData("--privileged")]
    [InlineData("--init")]
    [InlineData("-u 1000")]
    public void Run_Descriptors_AreTheThreeStreams_CVE_2024_21626(string flags)
    {
        JsonElement descriptors = Probe("descriptors", flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(["topic", "0", "1", "2"], descriptors.EnumerateObject().Select(member => member.Name));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("")]
    [InlineData("-i")]
    [InlineData("--privileged")]
    public void Exec_Descriptors_AreTheThreeStreams_CVE_2024_21626(string flags)
    {
        string name = DetachedWithProbe("descriptors");

        JsonElement descriptors = ExecProbe(name, "descriptors", flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(["topic", "0", "1", "2"], descriptors.EnumerateObject().Select(member => member.Name));
    }

    [KernelFact(Needs.Root)]
    public void Run_WorkingDirectoryThroughADescriptor_NeverLeavesTheRoot_CVE_2024_21626()
    {
        string image = new HostileImage(Store, "fd-workdir").Config("WorkingDir", "/proc/self/fd/8").Load();
        AssertInside(Hull("run", "--rm", image, "sh", "-c", "pwd -P; ls -a ../../../../"));
        for (int descriptor = 3; descriptor < 24; descriptor++)
        {
            AssertInside(Hull("run", "--rm", "-w", $"/proc/self/fd/{descriptor}", Store.Busybox, "sh", "-c", "pwd -P; ls -a ../../../../"));
        }
    }

    [KernelFact(Needs.Root)]
    public void Exec_WorkingDirectoryThroughADescriptor_NeverLeavesTheRoot_CVE_2024_21626()
    {
        string name = Detached("fd-exec");
        for (int descriptor = 3; descriptor < 40; descriptor++)
        {
            AssertInside(Hull("exec", "-w", $"/proc/self/fd/{descriptor}", name, "sh", "-c", "pwd -P; ls -a ../../../../"));
        }
    }

    [KernelFact(Needs.Root)]
    public void RunAndExec_OwnExecutable_CannotBeOverwritten_CVE_2019_5736()
    {
        string before = HashOfHull();
        string image = new HostileImage(Store, "self-exe").Text("evil", "#!/proc/self/exe\n", executable: true).Link("link", "/proc/self/exe").Load();
        foreach (string command in new[] { "/evil", "/link", "/proc/self/exe" })
        {
            RunResult run = Store.Run(10, "run", "--rm", "--entrypoint", command, image);
            Assert.DoesNotContain("hull", run.Stdout, StringComparison.Ordinal);
        }

        string name = Detached("overwriter", ["--cap-add", "SYS_PTRACE"], "sh", "-c",
            "while :; do for p in /proc/[0-9]*; do (echo pwned > $p/exe) 2>/dev/null; (echo pwned >> $p/exe) 2>/dev/null; done; done");
        for (int i = 0; i < 30; i++)
        {
            Store.Run(10, "exec", name, "/proc/self/exe");
            Store.Run(10, "exec", name, "true");
        }

        Assert.Equal(before, HashOfHull());
    }

    [KernelFact(Needs.Root)]
    public void RuntimeCreate_OwnExecutable_IsReadOnlyForEverybody_CVE_2019_5736() => AssertReadOnlyForEverybody("");

    [KernelFact(Needs.Root | Needs.Strace)]
    public void RuntimeCreate_KernelRefusesTheExchange_OwnExecutableIsReadOnlyAllTheSame_CVE_2019_5736() =>
        AssertReadOnlyForEverybody("strace -o /dev/null -e trace=prctl -e inject=prctl:error=EPERM");

    /// <param name="tracer">Makes the runtime start anew from the sealed binary, where it exchanges its executable otherwise.</param>
    private void AssertReadOnlyForEverybody(string tracer)
    {
        // What the runtime shows until execve, here to the host's root, who may do more than any payload.
        Bundle bundle = new(Store, "true");
        bundle.Write();
        Store.Shell($"{tracer} $HULL runtime --root {Store.RuntimeRoot} create --bundle {bundle.Directory} --pid-file {bundle.Directory}/pid {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        string pid = File.ReadAllText($"{bundle.Directory}/pid");

        RunResult write = Store.Shell($"""
            for file in /proc/{pid}/exe /proc/{pid}/map_files/*; do
                if [ $file -ef $HULL ]; then
                    echo ours
                    echo pwned > $file
                fi
            done
            """);

        bundle.Call("delete", "--force", bundle.Id).Ok();
        string[] refusals = write.Stderr.Trim().Split('\n');
        Assert.All(refusals, line => Assert.EndsWith("Read-only file system", line, StringComparison.Ordinal));
        Assert.Equal(refusals.Length, write.Stdout.Trim().Split('\n').Length);
        Assert.InRange(refusals.Length, 4, 40);
    }

    [KernelFact(Needs.Root)]
    public void RuntimeExec_OwnExecutable_CannotBeOverwritten_CVE_2019_5736()
    {
        string before = HashOfHull();
        Bundle bundle = new(Store, "while :; do for p in /proc/[0-9]*; do (echo pwned > $p/exe) 2>/dev/null; (echo pwned >> $p/exe) 2>/dev/null; done; done");
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Config["process"]!["capabilities"]![set]!.AsArray().Add("CAP_SYS_PTRACE");
        }

        using HullProcess run = bundle.Start();
        Wait.Until(() => bundle.Call("exec", bundle.Id, "true").ExitCode == 0, 10, () => "the container does not start");
        for (int i = 0; i < 30; i++)
        {
            bundle.Call("exec", bundle.Id, "/proc/self/exe");
            bundle.Call("exec", bundle.Id, "true").Ok();
        }

        bundle.Call("kill", bundle.Id, "KILL").Ok();
        Assert.Equal(137, run.Finish().ExitCode);
        Assert.Equal(before, HashOfHull());
    }

    [KernelFact(Needs.Root)]
    public void Exec_WatchedByATracer_ShowsNoDescriptorOfTheHost_CVE_2016_9962()
    {
        // A process of the container with CAP_SYS_PTRACE looks at every new process as it comes in.
        string name = Detached("tracer", ["--cap-add", "SYS_PTRACE"], "sh", "-c",
            "touch /found; while :; do for p in /proc/[0-9]*; do for f in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
            + " if [ -e $p/fd/$f ] && [ $p != /proc/$$ ]; then echo \"$(readlink $p/fd/$f)\" >> /found; fi; done; done; done");
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < 200 && watch.Elapsed < TimeSpan.FromSeconds(8); i++)
        {
            Hull("exec", name, "true").Ok();
        }

        string found = Hull("exec", name, "cat", "/found").Ok();
        // A pipe is how a failure before execve is told; it leads nowhere else.
        Assert.DoesNotContain(found.Split('\n', StringSplitOptions.RemoveEmptyEntries), target => !target.StartsWith("pipe:", StringComparison.Ordinal));
    }

    [KernelFact(Needs.Root)]
    public void Top_TrojanInTheImage_IsNotExecuted_CVE_2022_1227()
    {
        const string Trojan = "#!/bin/sh\ntouch /pwned\n";
        HostileImage image = new(Store, "trojan-ps");
        foreach (string program in new[] { "bin/ps", "usr/bin/ps", "usr/bin/nsenter", "usr/bin/top", "usr/local/bin/ps", "sbin/ps" })
        {
            image.Text(program, Trojan, executable: true);
        }

        Hull("run", "-d", "--name", "trojan", image.Load(), "sleep", "1000").Ok();

        Assert.Contains("sleep 1000", Hull("top", "trojan").Ok(), StringComparison.Ordinal);
        Assert.NotEqual(0, Hull("exec", "trojan", "test", "-e", "/pwned").ExitCode);
    }

    [KernelFact(Needs.Root)]
    public void Run_HugeValues_ArriveWholeOrAreRefused_CVE_2021_43784()
    {
        string value = new('v', 100_000);
        Assert.Equal("100001", InBusybox("echo $X | wc -c", "-e", "X=" + value).Ok());

        string source = "/" + string.Join('/', Enumerable.Repeat(new string('d', 250), 400));
        Hull("run", "--rm", "-v", $"{source}:/mnt", Store.Busybox, "true").Fails(125);
        Hull("run", "--rm", "-v", $"{Store.Scratch}:{source}", Store.Busybox, "true").Fails(125);
        AssertWorkedOrRefused(Hull("run", "--rm", "-h", new string('h', 70_000), Store.Busybox, "true"));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("", "2", "0")]
    [InlineData("--security-opt seccomp=unconfined", "0", "0")]
    [InlineData("--security-opt no-new-privileges", "2", "1")]
    [InlineData("--privileged", "0", "0")]
    public void RunAndExec_SecurityState_IsAsAskedFor(string flags, string seccomp, string noNewPrivileges)
    {
        string[] words = flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string name = DetachedWithProbe("state", words);
        foreach (JsonElement state in new[] { Probe("security", words), ExecProbe(name, "security") })
        {
            Assert.Equal(seccomp, state.GetProperty("seccomp").ToString());
            Assert.Equal(noNewPrivileges, state.GetProperty("noNewPrivs").ToString());
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_HostNetwork_ShowsNoAbstractSocketOfOurs_CVE_2020_15257()
    {
        Detached("other");

        string sockets = InBusybox("cat /proc/net/unix", "--network", "host").Ok();

        Assert.DoesNotContain(sockets.Split('\n'), line => line.Contains('@') && (line.Contains("hull", StringComparison.Ordinal) || line.Contains(Store.Name, StringComparison.Ordinal)));
    }

    [KernelFact(Needs.Root)]
    public void Run_EnvironmentOfAnEarlierContainer_DoesNotLeak_CVE_2020_14370()
    {
        Detached("first", ["-e", "SECRET=of-the-first"]);

        Assert.DoesNotContain("of-the-first", InBusybox("env; cat /proc/1/environ").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void List_StringsFromTheImage_ReachTheTerminalEscaped()
    {
        string image = new HostileImage(Store, "escapes").Config("Cmd", new JsonArray("sh", "-c", "true; # \u001b]0;pwned\u0007\u001b[2J"))
            .Config("Labels", new JsonObject { ["title"] = "\u001b[31mred\u001b]0;x\u0007" }).Load();
        Hull("run", "--name", "escapes", image).Ok();

        foreach (string[] command in new string[][] { ["ps", "-a"], ["ps", "-a", "--no-trunc"], ["images"] })
        {
            Assert.DoesNotContain("\u001b", Hull(command).Ok(), StringComparison.Ordinal);
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_HugeCpuSet_IsRefusedInBoundedMemory_CVE_2018_20699()
    {
        RunResult result = Store.Run(10, "run", "--rm", "--cpuset-cpus", "0-2147483647", Store.Busybox, "true");

        result.Fails(125);
        Assert.InRange(result.Elapsed.TotalSeconds, 0, 5);
    }

    private static void AssertInside(RunResult result)
    {
        AssertWorkedOrRefused(result);
        if (result.ExitCode == 0)
        {
            Assert.StartsWith("/", result.Stdout, StringComparison.Ordinal);
            Assert.DoesNotContain("(unreachable)", result.Stdout, StringComparison.Ordinal);
            // The host's root has these, the fixture has not.
            Assert.DoesNotContain("boot\n", result.Stdout, StringComparison.Ordinal);
            Assert.DoesNotContain("lib64\n", result.Stdout, StringComparison.Ordinal);
        }
    }

    private static string HashOfHull() => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Repository.Hull)));
}
