using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>A payload tells the service manager of the runtime that it is ready (<c>NOTIFY_SOCKET</c>, sd_notify(3)).</summary>
public sealed class RuntimeNotifyTests(HullStore store) : KernelTest(store)
{
    private Bundle Notifying(string script, bool readOnly = false)
    {
        Bundle bundle = new(Store, script);
        Directory.CreateDirectory($"{bundle.Directory}/rootfs/run");
        File.Copy(Repository.Probe, $"{bundle.Directory}/rootfs/bin/probe");
        bundle.Config["root"]!["readonly"] = readOnly;
        bundle.Write();
        return bundle;
    }

    private ServiceManager Manager() => new($"{Store.Scratch}/{Guid.NewGuid().ToString("n")[..8]}");

    private RunResult Runtime(ServiceManager? manager, string words) => Store.Shell(
        $"{(manager is null ? "" : $"NOTIFY_SOCKET={manager.Address} ")}$HULL runtime --root {Store.RuntimeRoot} {words} < /dev/null 2> {Store.Scratch}/error > {Store.Scratch}/output || {{ cat {Store.Scratch}/error >&2; exit 1; }}");

    private static int Pid(Bundle bundle) => (int)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["pid"]!;

    [KernelTheory(Needs.Root)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void CreateStart_Ready_IsPassedOnBeforeStartReturns(bool readOnly, bool userNamespace)
    {
        using ServiceManager manager = Manager();
        // Only READY goes further, and it does not matter what else is said with it.
        Bundle bundle = Notifying("probe notify STATUS=loading; sleep 0.3; probe notify \"$(echo STATUS=up; echo READY=1; echo MAINPID=7)\"; sleep 1000", readOnly);
        if (userNamespace)
        {
            bundle.InUserNamespace().Write();
        }

        Runtime(manager, $"create --bundle {bundle.Directory} {bundle.Id}").Ok();
        Assert.Empty(manager.Heard);

        Runtime(manager, $"start {bundle.Id}").Ok();

        Assert.Equal(["READY=1\n", $"MAINPID={Pid(bundle)}\n", "BARRIER=1"], manager.Heard);
        bundle.Call("delete", "--force", bundle.Id).Ok();
        Assert.False(Directory.Exists($"{Store.RuntimeRoot}/{bundle.Id}"));
    }

    [KernelFact(Needs.Root)]
    public void RunDetached_Ready_IsPassedOnBeforeRunReturns()
    {
        using ServiceManager manager = new($"@{Store.Name}-abstract");
        Bundle bundle = Notifying("sleep 0.3; probe notify READY=1; sleep 1000");

        Runtime(manager, $"run --detach --bundle {bundle.Directory} {bundle.Id}").Ok();

        Assert.Equal(["READY=1\n", $"MAINPID={Pid(bundle)}\n", "BARRIER=1"], manager.Heard);
        bundle.Call("delete", "--force", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void RunInTheForeground_Ready_NamesTheRuntimeWhichEndsWithThePayload()
    {
        using ServiceManager manager = Manager();
        Bundle bundle = Notifying("echo $NOTIFY_SOCKET; probe notify READY=1; exit 3");

        RunResult result = Store.Shell($"echo $$; NOTIFY_SOCKET={manager.Address} exec $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}");

        string[] lines = result.Stdout.Split('\n');
        Assert.Equal((3, "/run/notify/notify.sock"), (result.ExitCode, lines[1]));
        Wait.Until(() => manager.Heard.Count == 2, 5, () => string.Join('|', manager.Heard));
        Assert.Equal(["READY=1\n", $"MAINPID={lines[0]}\n"], manager.Heard);
    }

    [KernelFact(Needs.Root)]
    public void Start_PayloadEndsWithoutAWord_DoesNotWaitForEver()
    {
        using ServiceManager manager = Manager();
        Bundle bundle = Notifying("sleep 0.2");
        Runtime(manager, $"create --bundle {bundle.Directory} {bundle.Id}").Ok();

        Runtime(manager, $"start {bundle.Id}").Ok();

        Assert.Empty(manager.Heard);
        bundle.Call("delete", "--force", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void Start_CreatedWithoutAManager_DoesNotWait()
    {
        using ServiceManager manager = Manager();
        Bundle bundle = Notifying("echo \"[$NOTIFY_SOCKET]\" > /told; sleep 1000");
        Runtime(null, $"create --bundle {bundle.Directory} {bundle.Id}").Ok();

        Runtime(manager, $"start {bundle.Id}").Ok();

        string told = $"{bundle.Directory}/rootfs/told";
        Wait.Until(() => File.Exists(told) && File.ReadAllText(told).Length > 0, 5, () => "the payload has not run");
        Assert.Equal("[]\n", File.ReadAllText(told));
        bundle.Call("delete", "--force", bundle.Id).Ok();
    }

    [KernelFact(Needs.Root)]
    public void StartAndRun_NobodyReceives_AreRefusedBeforeThePayloadRuns()
    {
        ServiceManager gone = Manager();
        gone.Dispose();
        Bundle bundle = Notifying("sleep 1000");
        Runtime(gone, $"create --bundle {bundle.Directory} {bundle.Id}").Ok();

        Runtime(gone, $"start {bundle.Id}").Fails(1, $"NOTIFY_SOCKET {gone.Address}: nobody receives there; unset it");
        Assert.Equal("created", (string)JsonNode.Parse(bundle.Call("state", bundle.Id).Ok())!["status"]!);
        Runtime(null, $"start {bundle.Id}").Ok();
        bundle.Call("delete", "--force", bundle.Id).Ok();

        Runtime(gone, $"run --detach --bundle {bundle.Directory} {bundle.Id}").Fails(1, "nobody receives there");
        Store.Shell($"NOTIFY_SOCKET=vsock:2 $HULL runtime --root {Store.RuntimeRoot} run --bundle {bundle.Directory} {bundle.Id}").Fails(1, "neither an absolute path");
        Assert.False(Directory.Exists($"{Store.RuntimeRoot}/{bundle.Id}"));
    }
}
