using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>SELinux labels of a bundle, under the suite's own policy, which is enforced: selinux.cil.</summary>
public sealed class SelinuxTests(HullStore store) : KernelTest(store)
{
    private const string Domain = "system_u:system_r:container_t:s0:c1,c2";
    private const string Files = "system_u:object_r:container_file_t:s0:c1,c2";

    private static void Labelled(Bundle bundle)
    {
        bundle.Config["process"]!["selinuxLabel"] = Domain;
        bundle.Linux["mountLabel"] = Files;
        bundle.Linux["maskedPaths"] = new JsonArray("/sys/firmware");
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        mounts.Add(new JsonObject { ["destination"] = "/dev/pts", ["type"] = "devpts" });
        mounts.Add(new JsonObject { ["destination"] = "/dev/mqueue", ["type"] = "mqueue" });
        mounts.Add(new JsonObject { ["destination"] = "/tmp", ["type"] = "tmpfs", ["options"] = new JsonArray("tmpcopyup") });
    }

    private Bundle Made(string script)
    {
        Bundle bundle = new(Store, script);
        Labelled(bundle);
        return bundle;
    }

    [KernelFact(Needs.Selinux)]
    public void RunAndExec_Labels_AreThoseOfProcessesFilesAndKeys()
    {
        using RunningBundle container = new(Store, change: Labelled);
        string Inside(string script, params string[] flags) =>
            container.Bundle.Call(["exec", .. flags, container.Id, "sh", "-c", script]).Ok();

        Assert.Equal(Domain, File.ReadAllText($"/proc/{container.Pid}/attr/current").TrimEnd('\0'));
        Assert.Equal(Domain, Inside("cat /proc/self/attr/current").TrimEnd('\0'));
        Assert.Equal("system_u:system_r:container_t:s0:c0",
            Inside("cat /proc/self/attr/current", "--process-label", "system_u:system_r:container_t:s0:c0").TrimEnd('\0'));
        Assert.Equal(
            ["/dev", "/dev/pts", "/sys/firmware", "/tmp"],
            Inside("cat /proc/self/mountinfo").Split('\n').Where(line => line.Contains($"context=\"{Files}\"", StringComparison.Ordinal))
                .Select(line => line.Split(' ')[4]).Order(StringComparer.Ordinal));
        Assert.Equal(Files, Store.Shell($"getfattr --only-values -n security.selinux /proc/{container.Pid}/root/dev/mqueue").Ok().TrimEnd('\0'));
        // The policy shows container_t its own keys alone.
        Assert.Contains($"_ses.{container.Id}", Inside("cat /proc/keys"), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Selinux)]
    public void Run_FilesOfTheHost_AreThePolicysToRefuse()
    {
        const string script = "echo x > /dev/x && echo x > /tmp/x && echo written; echo x > /x";

        RunResult result = Made(script).Run();
        Assert.Equal("written\n", result.Stdout);
        result.Fails(1, "ermission denied");
        Assert.Equal("written", new Bundle(Store, script).Run().Ok());
    }

    [KernelFact(Needs.Selinux)]
    public void RunAndExec_LabelsThatThePolicyDoesNotKnow_AreNamed()
    {
        Bundle process = Made("true");
        process.Config["process"]!["selinuxLabel"] = "system_u:system_r:nosuch_t:s0";
        process.Run().Fails(1, "SELinux label system_u:system_r:nosuch_t:s0", "EINVAL", "has the host's policy this label");

        Bundle files = Made("true");
        files.Linux["mountLabel"] = "system_u:object_r:nosuch_t:s0";
        files.Run().Fails(1, "context=system_u:object_r:nosuch_t:s0", "EINVAL", "has the host's policy this label");

        using RunningBundle container = new(Store);
        container.Bundle.Call("exec", "--process-label", "system_u:system_r:nosuch_t:s0", container.Id, "true").Fails(1, "SELinux label", "EINVAL");
    }
}
