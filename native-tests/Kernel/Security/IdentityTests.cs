using System.Text.Json;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>Who the payload is and what it may: users, groups, capabilities (section 3 of the corpus).</summary>
public sealed class IdentityTests(HullStore store) : SecurityTest(store)
{
    private const string DefaultCapabilities = "00000000a80425fb";
    private const string NoCapabilities = "0000000000000000";

    public static TheoryData<string[]> Identities => new([], ["-u", "1000"], ["-u", "tester"], ["--cap-add", "NET_ADMIN"], ["--privileged"], ["-u", "1000", "--cap-add", "NET_ADMIN"]);

    [KernelTheory(Needs.Root)]
    [MemberData(nameof(Identities))]
    public void Run_AnyIdentity_InheritableAndAmbientAreEmpty_CVE_2022_24769_CVE_2022_29162_CVE_2016_8867(string[] flags)
    {
        JsonElement capabilities = Probe("capabilities", flags);

        Assert.Equal(NoCapabilities, capabilities.GetProperty("inheritable").GetString());
        Assert.Equal(NoCapabilities, capabilities.GetProperty("ambient").GetString());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("")]
    [InlineData("-u 1000")]
    [InlineData("--privileged")]
    [InlineData("--privileged -u 1000")]
    public void Exec_AnyIdentity_InheritableAndAmbientAreEmpty_CVE_2022_24769_CVE_2025_27612(string flags)
    {
        string name = DetachedWithProbe("inheritable");

        JsonElement capabilities = ExecProbe(name, "capabilities", flags.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(NoCapabilities, capabilities.GetProperty("inheritable").GetString());
        Assert.Equal(NoCapabilities, capabilities.GetProperty("ambient").GetString());
    }

    [KernelFact(Needs.Root)]
    public void Run_Root_HasDockersFourteen()
    {
        JsonElement capabilities = Probe("capabilities");

        Assert.Equal(DefaultCapabilities, capabilities.GetProperty("effective").GetString());
        Assert.Equal(DefaultCapabilities, capabilities.GetProperty("permitted").GetString());
        Assert.Equal(DefaultCapabilities, capabilities.GetProperty("bounding").GetString());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("-u 1000")]
    [InlineData("-u 1000 --cap-add NET_ADMIN")]
    [InlineData("-u 1000 --privileged")]
    public void Run_OtherUserThanRoot_HasNoCapabilities_CVE_2016_8867_CVE_2018_10856(string flags)
    {
        JsonElement capabilities = Probe("capabilities", flags.Split(' '));

        Assert.Equal(NoCapabilities, capabilities.GetProperty("effective").GetString());
        Assert.Equal(NoCapabilities, capabilities.GetProperty("permitted").GetString());
    }

    [KernelFact(Needs.Root)]
    public void Run_UserOfTheImage_HasNoCapabilities_CVE_2018_10856()
    {
        string image = new HostileImage(Store, "other-user").Config("User", "tester").Load();

        string status = Hull("run", "--rm", image, "grep", "-E", "Cap(Eff|Prm|Amb|Inh)", "/proc/self/status").Ok();

        Assert.Equal(4, status.Split('\n').Count(line => line.EndsWith(NoCapabilities, StringComparison.Ordinal)));
    }

    [KernelFact(Needs.Root)]
    public void Exec_OtherUserInPrivileged_CannotReadRootsFile_CVE_2021_20188()
    {
        string name = Detached("privileged", ["--privileged"]);
        Hull("exec", name, "sh", "-c", "echo secret > /root/s; chmod 600 /root/s; chmod 755 /root").Ok();

        RunResult result = Hull("exec", "-u", "1000", name, "cat", "/root/s");

        Assert.NotEqual(0, result.ExitCode);
        Assert.DoesNotContain("secret", result.Stdout, StringComparison.Ordinal);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("tester", "1000 29 50")]
    [InlineData("1000", "1000 29 50")]
    [InlineData("1000:50", "50")]
    [InlineData("1234", "0")]
    [InlineData("1234:77", "77")]
    [InlineData("", "0")]
    public void Run_And_Exec_GroupsAreThoseOfTheImage_CVE_2022_36109_CVE_2023_25173(string user, string groups)
    {
        Assert.Equal(groups, Hull(["run", "--rm", "-u", user, Store.Busybox, "id", "-G"]).Ok());

        string name = Detached("groups");
        Assert.Equal(groups, Hull("exec", "-u", user, name, "id", "-G").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_GroupAdd_IsAddedToThem()
    {
        // The kernel sorts them.
        Assert.Equal("1000 1 29 50 77", Hull("run", "--rm", "-u", "tester", "--group-add", "77", "--group-add", "daemon", Store.Busybox, "id", "-G").Ok());
        Hull("run", "--rm", "--group-add", "nosuch", Store.Busybox, "true").Fails(125, "unable to find group nosuch: no matching entries in group file");
    }

    [KernelFact(Needs.Root)]
    public void Run_NumberThatIsAName_StaysANumber_CVE_2016_3697()
    {
        string image = new HostileImage(Store, "number-name").Text("etc/passwd", "root:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n")
            .Text("etc/group", "1000:x:0:\n").Load();

        Assert.Equal("1000", Hull("run", "--rm", "-u", "1000", image, "id", "-u").Ok());
        Assert.Equal("1000", Hull("run", "--rm", "-u", "1000:1000", image, "id", "-g").Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("2147483648")]
    [InlineData("4294967295")]
    [InlineData("4294967296")]
    [InlineData("-1")]
    [InlineData("0:4294967296")]
    [InlineData("1000\n")]
    public void Run_IdOutOfRange_IsRefused_CVE_2024_40635_CVE_2026_46680(string user)
    {
        RunResult flag = Hull("run", "--rm", $"--user={user}", Store.Busybox, "id", "-u");
        flag.Fails(125);
        Assert.Equal("", flag.Stdout);

        string image = new HostileImage(Store, "user-range").Config("User", user).Load();
        RunResult config = Hull("run", "--rm", image, "id", "-u");
        config.Fails(125);
        Assert.Equal("", config.Stdout);
        Hull("rmi", image).Ok();
    }

    [KernelTheory(Needs.Root)]
    [InlineData("0x0", null)]
    [InlineData(" 0", null)]
    [InlineData("+1000", "1000")]
    [InlineData("1000:", "1000")]
    [InlineData(":0", "0")]
    [InlineData("4294967296", null)]
    [InlineData("", "0")]
    [InlineData("nosuch", null)]
    public void Exec_OddUser_IsThatUserOrRefused_CVE_2026_30892(string user, string? uid)
    {
        string name = Detached("odd-user");

        RunResult result = Hull("exec", $"--user={user}", name, "id", "-u");

        if (uid is null)
        {
            Assert.True(result.ExitCode is 125 or 126 or 1, $"exit code {result.ExitCode}");
            Assert.Equal("", result.Stdout);
            Assert.NotEqual("", result.Stderr);
        }
        else
        {
            Assert.Equal(uid, result.Ok());
        }
    }

    [KernelTheory(Needs.Root)]
    [InlineData("link")]
    [InlineData("climb")]
    [InlineData("fifo")]
    [InlineData("fifo-link")]
    [InlineData("directory")]
    [InlineData("magic")]
    public void Run_PasswdThatIsNoFile_NeitherBlocksNorLeavesTheRoot_CVE_2024_9676(string kind)
    {
        HostileImage image = new(Store, "passwd-" + kind);
        foreach (string file in new[] { "etc/passwd", "etc/group" })
        {
            _ = kind switch
            {
                "link" => image.Link(file, Canary.File),
                "climb" => image.Link(file, "../../../../../../../.." + Canary.File),
                "fifo" => image.Fifo(file),
                "fifo-link" => image.Link(file, $"{Canary.Root}/fifo"),
                "directory" => image.Folder(file),
                _ => image.Link(file, "/proc/1/fd/0"),
            };
        }

        string name = image.Load();

        RunResult named = Store.Run(10, "run", "--rm", "-u", "canary-of-the-host", name, "true");
        named.Fails(125, "unable to find user canary-of-the-host");
        // Not id(1): the payload itself would wait at the FIFO.
        Assert.StartsWith("Uid:\t1000\t1000\t", Store.Run(10, "run", "--rm", "-u", "1000", name, "grep", "Uid", "/proc/self/status").Ok(), StringComparison.Ordinal);
        Assert.StartsWith("Uid:\t0\t0\t", Store.Run(10, "run", "--rm", name, "grep", "Uid", "/proc/self/status").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Exec_HugeGroupFile_IsRefusedAtOnce_CVE_2026_47262()
    {
        string name = Detached("huge-group");
        Hull("exec", name, "truncate", "-s", "1G", "/etc/group").Ok();

        RunResult result = Store.Run(10, "exec", "-u", "tester", name, "true");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("/etc/group of the container has 1073741824 bytes", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Run_LongGroupLine_IsBounded_CVE_2026_47262()
    {
        string image = new HostileImage(Store, "long-line").Text("etc/group", "tester:x:1000:" + new string('a', 1_000_000) + "\n").Load();

        Store.Run(10, "run", "--rm", "-u", "tester", image, "true").Fails(125, "/etc/group of the container has a line of more than");
    }

    [KernelFact(Needs.Root)]
    public void Run_SecurityKeysInTheImage_AreIgnored_CVE_2014_6408()
    {
        string image = new HostileImage(Store, "security-keys").Config("Privileged", true)
            .Config("SecurityOpt", new System.Text.Json.Nodes.JsonArray("seccomp=unconfined")).Config("CapAdd", new System.Text.Json.Nodes.JsonArray("ALL"))
            .Config("Devices", new System.Text.Json.Nodes.JsonArray("/dev/mem")).Load();

        string status = Hull("run", "--rm", image, "sh", "-c", "grep -E 'CapEff|Seccomp:' /proc/self/status; ls /dev").Ok();

        Assert.Contains(DefaultCapabilities, status, StringComparison.Ordinal);
        Assert.Matches("Seccomp:\\s+2", status);
        Assert.DoesNotContain("mem\n", status + "\n", StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void State_AsAnotherUserOfTheHost_CannotBeEntered_CVE_2021_41091_CVE_2021_41103_CVE_2024_25621()
    {
        Detached("state");

        foreach (string root in new[] { Store.DataRoot, Store.ExecRoot })
        {
            RunResult result = Store.Shell($"setpriv --reuid=65534 --regid=65534 --clear-groups ls {root}");
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains("Permission denied", result.Stderr, StringComparison.Ordinal);
        }
    }
}
