using System.Text.Json;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Isolation by default as Docker has it, seen from inside by the probe.</summary>
public sealed class IsolationTests(HullStore store) : KernelTest(store)
{
    // chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap
    private const string DockersFourteen = "00000000a80425fb";

    private const string None = "0000000000000000";

    private Dictionary<string, JsonElement> Look(string[] flags, params string[] topics) =>
        ProbeOutput.Parse(Store.Run(["run", "--rm", "-v", $"{Repository.Probe}:/probe:ro", .. flags, Store.Busybox, "/probe", .. topics]).Ok());

    [KernelFact(Needs.Root)]
    public void Capabilities_Default_AreDockersFourteen()
    {
        JsonElement sets = Look([], "capabilities")["capabilities"];

        Assert.Equal(DockersFourteen, sets.Text("effective"));
        Assert.Equal(DockersFourteen, sets.Text("permitted"));
        Assert.Equal(DockersFourteen, sets.Text("bounding"));
        Assert.Equal(None, sets.Text("inheritable"));
        Assert.Equal(None, sets.Text("ambient"));
    }

    [KernelFact(Needs.Root)]
    public void Capabilities_OtherUser_HasNone()
    {
        JsonElement sets = Look(["-u", "1000", "--cap-add", "NET_ADMIN"], "capabilities")["capabilities"];

        Assert.Equal((None, None, None, None), (sets.Text("effective"), sets.Text("permitted"), sets.Text("inheritable"), sets.Text("ambient")));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("--cap-add", "NET_ADMIN", "00000000a80435fb")]
    [InlineData("--cap-add", "cap_net_admin", "00000000a80435fb")]
    [InlineData("--cap-drop", "CHOWN", "00000000a80425fa")]
    [InlineData("--cap-drop", "ALL", None)]
    public void Capabilities_AddedOrDropped_AreThatMany(string flag, string capability, string expected)
    {
        Assert.Equal(expected, Look([flag, capability], "capabilities")["capabilities"].Text("effective"));
    }

    [KernelFact(Needs.Root)]
    public void Capabilities_AddUnknown_Fails()
    {
        Store.Run("run", "--rm", "--cap-add", "FLYING", Store.Busybox, "true").Fails(125, "FLYING");
    }

    [KernelFact(Needs.Root)]
    public void Privileged_Capabilities_AreTheHosts()
    {
        string effective = Look(["--privileged"], "capabilities")["capabilities"].Text("effective");

        Assert.Equal(Machine.EffectiveCapabilities.ToString("x16", System.Globalization.CultureInfo.InvariantCulture), effective);
    }

    [KernelFact(Needs.Root)]
    public void Security_Default_HasSeccompFilterAndPrivilegesAsDocker()
    {
        JsonElement security = Look([], "security")["security"];

        Assert.Equal((2, 0), (security.GetProperty("seccomp").GetInt32(), security.GetProperty("noNewPrivs").GetInt32()));
    }

    [KernelFact(Needs.Root)]
    public void Security_Options_AreApplied()
    {
        JsonElement security = Look(["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"], "security")["security"];

        Assert.Equal((0, 1), (security.GetProperty("seccomp").GetInt32(), security.GetProperty("noNewPrivs").GetInt32()));
    }

    [KernelTheory(Needs.Root)]
    [InlineData("unshare -m true")]
    [InlineData("unshare -U true")]
    [InlineData("mount -t tmpfs x /mnt")]
    [InlineData("hostname other")]
    [InlineData("adjtimex -t 9999")]
    [InlineData("mknod /tmp/disk b 8 0 && dd if=/tmp/disk of=/dev/null count=1")]
    [InlineData("echo 1 > /proc/sys/kernel/panic")]
    [InlineData("echo b > /proc/sysrq-trigger")]
    [InlineData("ip link add dummy0 type dummy")]
    [InlineData("dmesg")]
    public void Default_HostAffectingAction_IsRefused(string action)
    {
        Assert.NotEqual(0, InBusybox(action).ExitCode);
    }

    [KernelFact(Needs.Root)]
    public void Mounts_MaskedAndReadOnlyPaths_AreAsDocker()
    {
        string script = """
            for p in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats; do
              [ ! -e $p ] || [ "$(head -c 1 $p 2>/dev/null | wc -c)" = 0 ] || echo readable $p
            done
            for p in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do
              [ ! -e $p ] || [ -z "$(ls -A $p)" ] || echo listed $p
            done
            for p in /proc/sys/kernel/domainname /proc/irq/default_smp_affinity /proc/bus /proc/fs; do
              [ ! -e $p ] || grep -q " ${p%/*/*} \| $p " /proc/mounts || :
            done
            ! echo x > /proc/sys/kernel/domainname 2>/dev/null || echo writable
            ! mkdir /sys/fs/cgroup/x 2>/dev/null || echo cgroup-writable
            """;

        Assert.Equal("", InBusybox(script).Ok());
    }

    [KernelFact(Needs.Root)]
    public void Mounts_OfTheContainer_AreItsOwnAndPrivate()
    {
        JsonElement[] mounts = [.. Look([], "mounts")["mounts"].GetProperty("mounts").EnumerateArray()];
        Dictionary<string, JsonElement> byTarget = mounts.GroupBy(mount => mount.Text("target")).ToDictionary(group => group.Key, group => group.Last());

        Assert.Equal("overlay", byTarget["/"].Text("type"));
        Assert.Equal("proc", byTarget["/proc"].Text("type"));
        Assert.Equal("sysfs", byTarget["/sys"].Text("type"));
        Assert.Contains("ro", byTarget["/sys"].Text("options").Split(','));
        Assert.Equal("tmpfs", byTarget["/dev"].Text("type"));
        Assert.Equal("devpts", byTarget["/dev/pts"].Text("type"));
        Assert.Equal("mqueue", byTarget["/dev/mqueue"].Text("type"));
        Assert.Equal("tmpfs", byTarget["/dev/shm"].Text("type"));
        Assert.DoesNotContain(mounts, mount => mount.Text("propagation").Contains("shared", StringComparison.Ordinal));
    }

    [KernelFact(Needs.Root)]
    public void Process_Default_HasNoForeignSessionOrLimits()
    {
        Dictionary<string, JsonElement> topics = Look([], "process", "id");

        Assert.Equal(("/", "/", "0022"), (topics["process"].Text("cwd"), topics["process"].Text("root"), topics["process"].Text("umask")));
        Assert.Equal([0L, 0, 0, 0], topics["id"].Numbers("uid"));
        Assert.Equal([0L], topics["id"].Numbers("groups").Distinct().DefaultIfEmpty(0));
    }

    [KernelFact(Needs.Root)]
    public void Signals_Inside_AreDefault()
    {
        // .NET ignores SIGPIPE, and execve keeps what is ignored: the payload must not inherit it.
        Assert.Equal($"SigBlk:\t{None}\nSigIgn:\t{None}", InBusybox("exec grep -E 'Sig(Blk|Ign)' /proc/self/status").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Userns_Mapping_MakesRootAnotherUserOutside()
    {
        string name = "mapped";
        Detached(name, ["--userns", "remap:0:100000:65536"]);
        string pid = Inspect(name, "{{.State.Pid}}");

        Assert.Equal("0", Store.Run("exec", name, "id", "-u").Ok());
        Assert.Contains("Uid:\t100000\t100000\t100000\t100000", File.ReadAllText($"/proc/{pid}/status"), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void StateDirectories_AreClosedToOthers()
    {
        Detached("box");

        Assert.Equal("700\n700", Store.Shell($"stat -c %a {Store.DataRoot} {Store.ExecRoot}").Ok());
    }
}
