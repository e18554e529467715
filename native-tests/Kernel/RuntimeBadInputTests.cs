using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull runtime</c> on what is not as it should be: exit code 1, one clear line, nothing left behind.</summary>
public sealed class RuntimeBadInputTests(HullStore store) : KernelTest(store)
{
    [KernelTheory(Needs.Root)]
    [InlineData("no json at all", "config.json is not a valid specification")]
    [InlineData("""{"ociVersion":"1.0.2","process":{"args":"sh"}}""", "config.json is not a valid specification: process")]
    [InlineData("[]", "expected an object, found a list")]
    [InlineData("", "config.json is not a valid specification")]
    public void Create_DocumentIsWrong_IsRefused(string text, string message)
    {
        Bundle bundle = new(Store, "true");
        File.WriteAllText($"{bundle.Directory}/config.json", text);

        Refused(bundle, message);
    }

    [KernelFact(Needs.Root)]
    public void Create_NoBundleOrAnotherVersion_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        Refused(bundle, "config.json not found in");

        bundle.Config["ociVersion"] = "2.0.0";
        bundle.Write();
        Refused(bundle, "ociVersion 2.0.0 is not known here");
    }

    [KernelFact(Needs.Root)]
    public void Create_NamespaceOrRootThatIsNotThere_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        bundle.Linux["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "network", ["path"] = "/no/such/namespace" });
        bundle.Write();
        Refused(bundle, "cannot join the namespace /no/such/namespace");

        Bundle other = new(Store, "true");
        other.Config["root"]!["path"] = "nowhere";
        other.Write();
        Refused(other, "nowhere does not exist");
    }

    [KernelFact(Needs.Root)]
    public void Run_UnknownCapabilityOrSystemCall_IsLeftOutAsByRunc()
    {
        Bundle bundle = new(Store, "echo ran");
        bundle.Config["process"]!["capabilities"]!["bounding"]!.AsArray().Add("CAP_NO_SUCH");
        bundle.Linux["seccomp"] = JsonNode.Parse(
            """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["no_such_call","swapon"],"action":"SCMP_ACT_ERRNO"}]}""");

        Assert.Equal("ran", bundle.Run().Ok());
    }

    [KernelFact(Needs.Root)]
    public void AnyVerb_IdThatIsNoName_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        bundle.Write();
        foreach (string id in (string[])["a/b", "..", "../x", "a b", new string('x', 10_000)])
        {
            string[][] calls = [["create", "--bundle", bundle.Directory, id], ["state", id], ["start", id], ["delete", id], ["kill", id], ["exec", id, "true"]];
            foreach (string[] call in calls)
            {
                RunResult result = bundle.Call(call);
                result.Fails(1, "invalid container id");
                OneLine(result);
            }
        }
    }

    [KernelFact(Needs.Root)]
    public void StartTwice_DeleteRunning_CreateAgain_AreRefusedAndTheContainerRunsOn()
    {
        using RunningBundle container = new(Store);

        OneLine(container.Bundle.Call("start", container.Id), "cannot start an already running container");
        OneLine(container.Bundle.Call("delete", container.Id), "that is not stopped: running");
        OneLine(container.Bundle.Call("create", "--bundle", container.Bundle.Directory, container.Id), "container with id exists");
        Assert.Equal("running", container.Status);

        Directory.Delete(container.Bundle.Directory, recursive: true);
        Assert.Equal("running", container.Status);
        OneLine(container.Bundle.Call("create", "--bundle", container.Bundle.Directory, container.Id + "-2"), "config.json not found in");
    }

    [KernelFact(Needs.Root)]
    public void Create_ManyAtOnceOfOneId_OneWins()
    {
        Bundle bundle = new(Store, "true");
        bundle.Write();
        string create = $"$HULL runtime --root {Store.RuntimeRoot} create --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1 && echo made";

        string made = Store.Shell($"for i in 1 2 3 4 5 6; do ({create}) & done; wait").Ok();

        Assert.Equal("made", made);
        bundle.Call("delete", "--force", bundle.Id).Ok();
        Assert.DoesNotContain(bundle.Id, bundle.Call("list", "-q").Ok(), StringComparison.Ordinal);
    }

    private void Refused(Bundle bundle, string message)
    {
        foreach (string verb in (string[])["create", "run"])
        {
            OneLine(bundle.Call(verb, "--bundle", bundle.Directory, bundle.Id), message);
            Assert.False(Directory.Exists($"{Store.RuntimeRoot}/{bundle.Id}"));
        }
    }

    private static void OneLine(RunResult result, string? message = null)
    {
        result.Fails(1, message is null ? [] : [message]);
        Assert.Single(result.Stderr.TrimEnd('\n').Split('\n'));
    }

    [KernelFact(Needs.Root)]
    public void Run_SelinuxLabel_IsRefusedNotDropped()
    {
        Bundle bundle = new(Store, "true");
        bundle.Config["process"]!["selinuxLabel"] = "system_u:system_r:container_t:s0";
        bundle.Run().Fails(1, "process.selinuxLabel: SELinux is off on this host");

        Bundle mounts = new(Store, "true");
        mounts.Linux["mountLabel"] = "system_u:object_r:container_file_t:s0";
        mounts.Run().Fails(1, "linux.mountLabel: SELinux is off on this host");
    }
}
