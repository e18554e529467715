using System.Text.Json;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>Base of the tests that try an attack: a canary on the host, and the probe's view from inside. They run on both cgroup
/// layouts: scripts/test names the trait for the guest.</summary>
[Trait("corpus", "security")]
public abstract class SecurityTest(HullStore store) : KernelTest(store)
{
    protected Canary Canary { get; } = new();

    /// <summary>What the probe says about one topic, run with the flags given.</summary>
    protected JsonElement Probe(string topic, params string[] flags) =>
        Parse(Store.Run(["run", "--rm", "-v", $"{Repository.Probe}:/probe:ro", .. flags, Store.Busybox, "/probe", topic]).Ok());

    /// <summary>As <see cref="Probe"/>, in a container that runs with the probe mounted.</summary>
    protected JsonElement ExecProbe(string container, string topic, params string[] flags) =>
        Parse(Store.Run(["exec", .. flags, container, "/probe", topic]).Ok());

    /// <summary>A running container in which the probe is at /probe.</summary>
    protected string DetachedWithProbe(string name, params string[] flags) => Detached(name, ["-v", $"{Repository.Probe}:/probe:ro", .. flags]);

    /// <summary>Either it worked or hull refused it in words; anything else is a crash.</summary>
    protected static void AssertWorkedOrRefused(RunResult result)
    {
        if (result.ExitCode != 0)
        {
            Assert.True(result.ExitCode is 1 or (>= 125 and <= 127), $"exit code {result.ExitCode}: {result.Stderr}");
            Assert.DoesNotContain("   at ", result.Stderr, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled exception", result.Stderr, StringComparison.Ordinal);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        Canary.AssertIntact();
        Canary.Dispose();
        GC.SuppressFinalize(this);
    }

    private static JsonElement Parse(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
