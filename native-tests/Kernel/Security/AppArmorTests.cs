using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>AppArmor confines a container: by hull's own profile where none is named, by the named one otherwise.</summary>
public sealed class AppArmorTests(HullStore store) : KernelTest(store)
{
    private const string Label = "cat /proc/self/attr/apparmor/current";

    [KernelFact(Needs.AppArmor)]
    public void RunAndExec_Default_AreConfinedByHullsProfile()
    {
        Detached("confined");

        Assert.Equal("hull-default (enforce)", InBusybox(Label).Ok());
        Assert.Equal("hull-default (enforce)", Hull("exec", "confined", "sh", "-c", Label).Ok());
        Assert.Equal("hull-default", Hull("inspect", "-f", "{{.AppArmorProfile}}", "confined").Ok());
    }

    [KernelTheory(Needs.AppArmor)]
    [InlineData("--privileged")]
    [InlineData("--security-opt=apparmor=unconfined")]
    public void Run_Unconfined_HasNoLabel(string flag) => Assert.Equal("unconfined", InBusybox(Label, flag).Ok());

    [KernelFact(Needs.AppArmor)]
    public void Run_MountWithAllRights_IsTheProfilesToRefuse()
    {
        const string script = "mkdir /m; mount -t tmpfs none /m && echo mounted";
        string[] rights = ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"];

        Assert.Equal("mounted", InBusybox(script, [.. rights, "--security-opt", "apparmor=unconfined"]).Ok());
        InBusybox(script, rights).Fails(255, "ermission denied");
    }

    [KernelFact(Needs.AppArmor)]
    public void Run_KernelMemoryWithoutMasks_IsTheProfilesToRefuse()
    {
        const string script = "head -c4 /proc/kcore | wc -c";

        Assert.Equal("4", InBusybox(script, "--privileged").Ok());
        RunResult result = InBusybox(script, "--privileged", "--security-opt", "apparmor=hull-default");
        Assert.Equal("0", result.Ok());
        Assert.Contains("ermission denied", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.AppArmor)]
    public void Run_ProfileThatIsNotLoaded_IsNamed() =>
        InBusybox("true", "--security-opt", "apparmor=no-such-profile").Fails(125, "AppArmor profile no-such-profile", "ENOENT", "apparmor_parser");

    [KernelFact(Needs.AppArmor)]
    public void Exec_ProfileThatIsNotLoaded_IsNamed()
    {
        using RunningBundle running = new(Store);

        running.Bundle.Call("exec", "--apparmor", "no-such-profile", running.Id, "true")
            .Fails(1, "AppArmor profile no-such-profile", "ENOENT", "apparmor_parser");
    }

    [KernelFact(Needs.AppArmor)]
    public void RuntimeRun_NamedProfile_IsThePayloads()
    {
        string profile = $"{Store.Name}-profile";
        Store.Shell($"echo 'profile {profile} flags=(attach_disconnected) {{ file, capability, signal, deny /tmp/secret r, }}' | apparmor_parser -K -a").Ok();
        try
        {
            Bundle bundle = new(Store, $"{Label}; echo x > /tmp/secret; cat /tmp/secret");
            bundle.Config["process"]!["apparmorProfile"] = profile;

            RunResult result = bundle.Run();

            Assert.Equal($"{profile} (enforce)\n", result.Stdout);
            result.Fails(1, "ermission denied");
        }
        finally
        {
            Store.Shell($"echo 'profile {profile} {{}}' | apparmor_parser -R").Ok();
        }
    }
}
