using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The caller's keys do not come into a container (session-keyring(7)).</summary>
public sealed class RuntimeKeyringTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root)]
    public void Keyring_OfItsOwn_IsSharedWithExecAndLeftOutOnDemand()
    {
        if (!File.Exists("/proc/keys"))
        {
            // A kernel without keys: the container must start all the same, as every other test shows.
            return;
        }

        using (RunningBundle container = new(Store, "cat /proc/keys > /tmp/own; sleep 1000"))
        {
            string exec = container.Bundle.Call("exec", container.Id, "grep", $"_ses.{container.Id}:", "/proc/keys").Ok();
            string keys = $"{container.Bundle.Directory}/rootfs/tmp/own";
            Wait.Until(() => File.Exists(keys) && File.ReadAllText(keys).Contains($"_ses.{container.Id}:", StringComparison.Ordinal), 10, () => "the payload writes its keys");
            string own = File.ReadLines(keys).Single(line => line.Contains($"_ses.{container.Id}:", StringComparison.Ordinal));
            // The first word is the key's serial number.
            Assert.Equal(own.Split(' ')[0], exec.Split(' ')[0]);
        }

        Bundle bundle = new(Store, "cat /proc/keys");
        bundle.Write();
        Assert.DoesNotContain($"_ses.{bundle.Id}", bundle.Call("run", "--no-new-keyring", "--bundle", bundle.Directory, bundle.Id).Ok(), StringComparison.Ordinal);

        // A further process keeps its caller's too.
        bundle.Config["process"]!["args"] = new JsonArray("sleep", "1000");
        bundle.Write();
        Store.Shell($"$HULL runtime --root {Store.RuntimeRoot} run --detach --no-new-keyring --bundle {bundle.Directory} {bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        Assert.DoesNotContain($"_ses.{bundle.Id}", bundle.Call("exec", bundle.Id, "cat", "/proc/keys").Ok(), StringComparison.Ordinal);
        bundle.Call("delete", "--force", bundle.Id).Ok();
    }
}
