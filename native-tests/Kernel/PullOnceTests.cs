using System.Security.Cryptography;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>What <c>hull pull</c> does not fetch twice: after a kill, beside another process, when nothing changed; through connections
/// that break and lie. And the lists of a registry: all tags, search.</summary>
public sealed class PullOnceTests(HullStore store) : KernelTest(store)
{
    private string Content => Path.Combine(Store.Scratch, "registry");

    [KernelFact(Needs.Registry)]
    public void Pull_KilledInMidLayer_NextGoesOnWhereItEnded()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("resumed", RandomNumberGenerator.GetBytes(4 << 20));
        registry.PushImage("resumed", "1", layer, diffId);
        string hex = Convert.ToHexStringLower(SHA256.HashData(layer));
        string part = Path.Combine(Store.DataRoot, "images/staging", $"part-{hex}");
        using FaultyProxy proxy = new(registry.Port, _ => new Fault { Delay = TimeSpan.FromMilliseconds(5) });

        using (HullProcess pull = Store.Start("pull", $"{proxy.Host}/resumed:1"))
        {
            Wait.Until(() => File.Exists(part) && new FileInfo(part).Length > 1 << 20, 20, () => $"no part comes: {pull.Stdout} {pull.Stderr}");
            pull.Kill();
            Wait.Until(() => pull.HasExited, 10, () => "a killed pull does not end");
        }

        Assert.False(File.Exists(Path.Combine(Store.DataRoot, "images/blobs/sha256", hex)));
        Assert.Equal("", Store.Run("images", "-q", $"{proxy.Host}/resumed").Ok());
        long have = new FileInfo(part).Length;
        long before = proxy.Downloaded;
        Store.Run(60, "pull", $"{proxy.Host}/resumed:1").Ok();
        Assert.InRange(proxy.Downloaded - before, 1, layer.Length - have + (64 << 10));
        Assert.False(File.Exists(part));
    }

    [KernelFact(Needs.Registry)]
    public void Pull_TwoProcessesWantOneBlob_OneFetchesIt()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("once", RandomNumberGenerator.GetBytes(2 << 20));
        registry.PushImage("once", "1", layer, diffId);
        using FaultyProxy proxy = new(registry.Port, _ => new Fault { Delay = TimeSpan.FromMilliseconds(10) });

        using HullProcess first = Store.Start("pull", $"{proxy.Host}/once:1");
        first.WaitForOutput("Pulling fs layer");
        using HullProcess second = Store.Start("pull", "--progress", "json", $"{proxy.Host}/once:1");

        string one = first.Finish(60).Ok();
        string two = second.Finish(60).Ok();
        Assert.InRange(proxy.Downloaded, layer.Length, layer.Length + (64 << 10));
        Assert.Contains("Already exists", one + two, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry)]
    public void Pull_NothingChanged_IsOneRequest()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("same", "hello"u8.ToArray());
        registry.PushImage("same", "1", layer, diffId);
        using FaultyProxy proxy = new(registry.Port, _ => null);
        Store.Run("pull", "-q", $"{proxy.Host}/same:1").Ok();
        proxy.Requests.Clear();

        Assert.Contains("Image is up to date", Store.Run("pull", $"{proxy.Host}/same:1").Ok(), StringComparison.Ordinal);

        Assert.Equal(["HEAD /v2/same/manifests/1"], proxy.Requests);
    }

    [KernelFact(Needs.Registry)]
    public void Pull_ConnectionsCutAndLengthsWrong_AreResumedOrRefused()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("faulty", RandomNumberGenerator.GetBytes(1 << 20));
        registry.PushImage("faulty", "1", layer, diffId);
        using FaultyProxy cutting = new(registry.Port, connection => connection is 2 ? new Fault { CutDownloadAfter = 300_000 } : null);
        using FaultyProxy lying = new(registry.Port, _ => new Fault { Replace = ($"Content-Length: {layer.Length}", $"Content-Length: {layer.Length - 7}") });

        Store.Run("pull", $"{lying.Host}/faulty:1").Fails(1, $"is truncated in the registry: {layer.Length - 7} of {layer.Length} bytes");
        Store.Run("pull", $"{cutting.Host}/faulty:1").Ok();

        Assert.Equal(1, cutting.Cuts);
    }

    [KernelFact(Needs.Registry)]
    public void Pull_ConnectionStalls_GoesOnOrGivesUpInWords()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("stalls", RandomNumberGenerator.GetBytes(1 << 20));
        registry.PushImage("stalls", "1", layer, diffId);
        using FaultyProxy once = new(registry.Port, connection => connection is 2 ? new Fault { StallDownloadAfter = 300_000 } : null);
        using FaultyProxy always = new(registry.Port, connection => connection > 1 ? new Fault { StallDownloadAfter = 300_000 } : null);

        Store.Shell($"HULL_REGISTRY_TIMEOUT=300ms HULL_REGISTRY_ATTEMPTS=1 $HULL pull {always.Host}/stalls:1").Fails(
            1, $"pull {always.Host}/stalls:1: layer ", $" of {layer.Length} bytes: {always.Host} sent nothing for 0.3 s (a slow network may need more: HULL_REGISTRY_TIMEOUT");
        long before = once.Downloaded;
        string output = Store.Shell($"HULL_REGISTRY_TIMEOUT=700ms $HULL pull {once.Host}/stalls:1").Ok();

        Assert.Equal(1, once.Stalls);
        Assert.Contains(": Retrying in 1 second", output, StringComparison.Ordinal);
        Assert.InRange(once.Downloaded - before, 1, layer.Length + (64 << 10));
    }

    [KernelFact(Needs.Registry)]
    public void PullAllTagsAndSearch_ReadTheRegistrysLists()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("tags", "hello"u8.ToArray());
        registry.PushImage("lists/app", "a", layer, diffId);
        registry.PushImage("lists/app", "b", layer, diffId, "arm64");
        registry.PushImage("lists/other", "c", layer, diffId);

        Assert.EndsWith($"\n{registry.Host}/lists/app", Store.Run("pull", "-a", $"{registry.Host}/lists/app").Ok(), StringComparison.Ordinal);
        Assert.Equal("a\nb", Store.Shell($"$HULL images --format '{{{{.Tag}}}}' {registry.Host}/lists/app | sort").Ok());
        Assert.Equal($"{registry.Host}/lists/app\n{registry.Host}/lists/other", Store.Run("search", "--format", "{{.Name}}", $"{registry.Host}/lists/").Ok());
        Assert.Equal($"{registry.Host}/lists/app", Store.Run("search", "--limit", "1", "--format", "{{.Name}}", $"{registry.Host}/lists").Ok());
        Assert.Matches("^NAME +DESCRIPTION +STARS +OFFICIAL *\n.*/lists/other +0 *$", Store.Run("search", $"{registry.Host}/other").Ok());

        Store.Run("pull", "-a", $"{registry.Host}/lists/app:a").Fails(1, "tag can't be used with --all-tags/-a");
        Store.Run("pull", "-a", $"{registry.Host}/lists/none").Fails(1, $"repository {registry.Host}/lists/none not found");
        Store.Run("search", "--limit", "200", "x").Fails(125, "expected a number from 1 to 100");
        Store.Run("search", "-f", "x=1", "x").Fails(125, "invalid filter 'x=1' (use is-official=true");
        Store.Run("search", "127.0.0.1:1/x").Fails(1, "search 127.0.0.1:1/x: 127.0.0.1:1 is unreachable: connection refused");
    }
}
