using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Images for several platforms under one name, from and to Debian's docker-registry; skopeo as second opinion.</summary>
public sealed class PlatformTests(HullStore store) : KernelTest(store)
{
    private const string IndexType = "application/vnd.oci.image.index.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private static string Host { get; } = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    private static string Other { get; } = Host == "arm64" ? "amd64" : "arm64";

    private string Content => Path.Combine(Store.Scratch, "platform-registry");

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void PullAllPlatforms_PushElsewhere_KeepsTheIndexByteForByte()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = PushIndex(registry, "from/multi");
        string copy = $"{registry.Host}/to/multi:2";

        Store.Run("pull", "--all-platforms", name).Ok();
        Store.Run("tag", name, copy).Ok();
        string output = Store.Run("push", copy).Ok();

        Assert.Contains(": Mounted from from/multi", output, StringComparison.Ordinal);
        Assert.Equal(Raw(name), Raw(copy));
        Assert.Equal(registry.DigestOf("from/multi", "1"), registry.DigestOf("to/multi", "2"));
        // skopeo asks for every manifest and blob of it, the attestation among them.
        Store.Shell($"skopeo copy -q --all --src-tls-verify=false docker://{copy} oci:{Store.Scratch}/all:1", 60).Ok();
        string tree = Store.Run("images", "--tree").Ok();
        Assert.Matches("├─ linux/amd64 +[0-9a-f]{12} ", tree);
        Assert.Matches("└─ linux/arm64 +[0-9a-f]{12} ", tree);
        Assert.Equal(copy, Store.Run("push", "-q", copy).Ok());
        Store.Run("system", "check").Ok();
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Pull_OnePlatformAfterTheOther_BothStay_AndRunAsksNoRegistry()
    {
        string name;
        using (RegistryServer registry = new(Content, Store.Scratch))
        {
            name = PushIndex(registry, "both");
            Store.Run("pull", "-q", name).Ok();
            Store.Run("pull", "-q", "--platform", $"linux/{Other}", name).Ok();
            string copy = $"{registry.Host}/one:1";
            Store.Run("tag", name, copy).Ok();
            RunResult push = Store.Run("push", "-q", copy);
            Assert.Equal((0, copy), (push.ExitCode, push.Stdout.TrimEnd()));
            Assert.Contains("for the rest of its index is not here: attestations (hull pull --all-platforms", push.Stderr, StringComparison.Ordinal);
        }

        Assert.Equal(Other, Store.Run("inspect", "--format", "{{.Architecture}}", name).Ok());
        Assert.Equal(Host, Store.Run("image", "inspect", "--platform", $"linux/{Host}", "--format", "{{.Architecture}}", name).Ok());
        Assert.Equal(Other, Store.Run("inspect", "--type", "image", "--platform", $"linux/{Other}", "--format", "{{.Architecture}}", name).Ok());
        Store.Run("history", "--platform", $"linux/{Host}", name).Ok();
        Store.Run("history", "--platform", "linux/s390x", name)
            .Fails(1, "was found but does not provide the specified platform (linux/s390x): it is for linux/amd64, linux/arm64");
        // The registry is gone: only what is here can answer.
        Assert.Equal("inside", Store.Run("run", "--rm", "--platform", $"linux/{Host}", name, "echo", "inside").Ok());
        Store.Run("run", "--rm", "--pull", "never", "--platform", "linux/s390x", name, "true").Fails(125, "linux/s390x");

        string removed = Store.Run("rmi", "--platform", $"linux/{Other}", name).Ok();
        // The one that was pushed has that digest as a name of its own.
        Assert.Matches("^Untagged: [^\n]+/one@sha256:[0-9a-f]{64}\nDeleted: sha256:", removed);
        Assert.Equal(Host, Store.Run("inspect", "--format", "{{.Architecture}}", name).Ok());
        Assert.Matches($"linux/{Other} +[0-9a-f]{{12}} +0B +0B +-", Store.Run("images", "--tree").Ok());
        Store.Run("rmi", "--platform", $"linux/{Other}", name).Fails(1, $"it is for linux/{Host}");
        Store.Run("system", "check").Ok();
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Rmi_LastName_TakesAllPlatforms()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = PushIndex(registry, "gone");
        using HullStore fresh = new();
        fresh.Run("pull", "-q", "--all-platforms", name).Ok();
        Assert.Equal(2, fresh.Run("images", "-aq").Ok().Split('\n').Length);
        Assert.Single(fresh.Run("images", "-q").Ok().Split('\n'));
        Assert.DoesNotContain("Deleted", fresh.Run("image", "prune", "-f").Ok(), StringComparison.Ordinal);

        string[] lines = fresh.Run("rmi", name).Ok().Split('\n');

        Assert.Equal($"Untagged: {name}", lines[0]);
        Assert.Equal(2, lines.Count(line => line.StartsWith("Untagged", StringComparison.Ordinal)));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(fresh.DataRoot, "images/blobs/sha256")));
        fresh.Run("system", "check").Ok();
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void PullAllPlatforms_KilledAtAnyPoint_LeavesNothingHalf()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = PushIndex(registry, "killed");
        using HullStore fresh = new();
        foreach (int milliseconds in new[] { 20, 40, 60, 80, 120, 160 })
        {
            using (HullProcess pull = fresh.Start("pull", "--all-platforms", name))
            {
                Thread.Sleep(milliseconds);
                pull.Kill();
                pull.Finish(20);
            }

            foreach (string id in fresh.Run("images", "-aq", "--no-trunc").Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                fresh.Run("inspect", id).Ok();
            }
        }

        fresh.Run("pull", "-q", "--all-platforms", name).Ok();
        fresh.Run("system", "gc").Ok();
        fresh.Run("system", "check").Ok();
        fresh.Run("tag", name, $"{registry.Host}/after:1").Ok();
        fresh.Run("push", "-q", $"{registry.Host}/after:1").Ok();
        Assert.Equal(registry.DigestOf("killed", "1"), registry.DigestOf("after", "1"));
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void PullAllPlatforms_FullDisk_KeepsWhatIsWhole()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        // The last of its images does not fit.
        (byte[] big, string diffId) = RegistryServer.Layer("big", RandomNumberGenerator.GetBytes(40 << 20));
        string name = PushIndex(registry, "full", registry.PushImage("full", "big", big, diffId, "s390x") + ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"} }");
        string small = Path.Combine(Store.Scratch, "platform-disk");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=32m small {small}").Ok();
        try
        {
            string hull = $"HULL_DATA_ROOT={small}/data $HULL";
            Store.Shell($"{hull} pull --all-platforms {name}", 60).Fails(1, $"pull {name}", "no space left on device");

            Assert.Equal(Host, Store.Shell($"{hull} inspect --format '{{{{.Architecture}}}}' {name}").Ok());
            Store.Shell($"{hull} image inspect --platform linux/{Other} {name}").Ok();
            Store.Shell($"{hull} system gc; {hull} system check", 60).Ok();
            Store.Shell($"{hull} rmi {name}").Ok();
        }
        finally
        {
            Store.Shell($"umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public async Task PullAllPlatforms_TwoAtOnce_EachEndsWell()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = PushIndex(registry, "twice");
        using HullStore fresh = new();

        RunResult[] results = await Task.WhenAll(
            Task.Run(() => fresh.Run(60, "pull", "--all-platforms", name)),
            Task.Run(() => fresh.Run(60, "pull", "--platform", $"linux/{Other}", name)),
            Task.Run(() => fresh.Run(60, "pull", name)));

        Assert.All(results, result => result.Ok());
        Assert.Equal(2, fresh.Run("images", "-aq").Ok().Split('\n').Length);
        fresh.Run("system", "check").Ok();
        // A removal beside a pull: one of them comes first.
        results = await Task.WhenAll(Task.Run(() => fresh.Run(60, "rmi", "-f", name)), Task.Run(() => fresh.Run(60, "pull", "--all-platforms", name)));
        Assert.All(results, result => result.Ok());
        fresh.Run("system", "check").Ok();
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Load_LayoutOfAnIndex_KeepsIt_AndSaveTakesOnePlatform()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = PushIndex(registry, "layout");
        string layout = Path.Combine(Store.Scratch, "layout");
        Store.Shell($"skopeo copy -q --all --src-tls-verify=false docker://{name} oci:{layout}:{registry.Host}/loaded:1", 60).Ok();
        using HullStore fresh = new();
        fresh.Run("load", "-i", layout).Ok();

        fresh.Run("push", "-q", $"{registry.Host}/loaded:1").Ok();

        // skopeo has turned docker's manifests into OCI's on the way to the layout: its index is the one to keep.
        string kept = Store.Shell($"skopeo inspect --raw oci:{layout}:{registry.Host}/loaded:1 | sha256sum", 60).Ok();
        Assert.Equal(kept, Raw($"{registry.Host}/loaded:1"));
        string archive = Path.Combine(Store.Scratch, "other.tar");
        fresh.Run("save", "--platform", $"linux/{Other}", "-o", archive, $"{registry.Host}/loaded:1").Ok();
        using HullStore third = new();
        third.Run("load", "-i", archive, "--platform", $"linux/{Other}").Ok();
        Assert.Equal(Other, third.Run("inspect", "--format", "{{.Architecture}}", $"{registry.Host}/loaded:1").Ok());
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void ManifestCreate_ImagesInARegistry_IsPushedWithoutPullingThem()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        PushIndex(registry, "parts");
        string list = $"{registry.Host}/list:1";
        string other = $"{registry.Host}/parts:other";
        using HullStore fresh = new();
        fresh.Run("manifest", "create", "--insecure", list, $"{registry.Host}/parts:host", other).Ok();
        fresh.Run("manifest", "annotate", "--os-features", "sse4,aes", "--os-version", "6.1", list, other).Ok();
        Assert.Empty(fresh.Run("images", "-q").Ok());

        fresh.Run("manifest", "push", list).Ok();

        Store.Shell($"skopeo copy -q --all --src-tls-verify=false docker://{list} oci:{Store.Scratch}/list:1", 60).Ok();
        string raw = Store.Shell($"skopeo inspect --raw --tls-verify=false docker://{list}", 60).Ok();
        Assert.Contains("\"os.version\":\"6.1\",\"os.features\":[\"sse4\",\"aes\"]", raw, StringComparison.Ordinal);
        Assert.DoesNotContain("hull", raw, StringComparison.Ordinal);

        using RegistryServer elsewhere = new(Path.Combine(Store.Scratch, "elsewhere"), Store.Scratch);
        fresh.Run("manifest", "create", $"{elsewhere.Host}/list:1", other).Ok();
        fresh.Run("manifest", "push", $"{elsewhere.Host}/list:1").Fails(1, $"{registry.Host}/parts", "from where it cannot be mounted (pull that image");
        fresh.Run("manifest", "create", $"{elsewhere.Host}/list:2", $"{registry.Host}/parts:none")
            .Fails(1, $"No such image: {registry.Host}/parts:none here, nor in its registry");
    }

    [KernelFact(Needs.Registry)]
    public void Pull_AllPlatformsAndOne_IsRefused() =>
        Store.Run("pull", "--all-platforms", "--platform", "linux/arm64", "x").Fails(1, "--all-platforms and --platform exclude each other");

    private string Raw(string name) => Store.Shell($"skopeo inspect --raw --tls-verify=false docker://{name} | sha256sum", 60).Ok();

    /// <summary>Pushes an index of a busybox for this machine, another image for the other, and an attestation; its name.</summary>
    /// <param name="further">One more entry.</param>
    private string PushIndex(RegistryServer registry, string repository, string? further = null)
    {
        registry.Push(Store, "busybox", $"{repository}:host");
        string host = Store.Shell($"skopeo inspect --raw --tls-verify=false docker://{registry.Host}/{repository}:host").Ok();
        (byte[] layer, string diffId) = RegistryServer.Layer("other", "other"u8.ToArray());
        string other = registry.PushImage(repository, "other", layer, diffId, Other);
        string config = registry.PushBlob(repository, "{}"u8.ToArray(), "application/vnd.oci.image.config.v1+json");
        string statement = registry.PushBlob(repository, "{\"predicate\":1}"u8.ToArray(), "application/vnd.in-toto+json");
        string attestation = registry.PushManifest(
            repository, "attestation", $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{{config}},"layers":[{{statement}}]}""", ManifestType);
        string type = host.Contains("vnd.docker", StringComparison.Ordinal) ? "application/vnd.docker.distribution.manifest.v2+json" : ManifestType;
        string own = $$"""{"mediaType":"{{type}}","digest":"{{registry.DigestOf(repository, "host")}}","size":{{System.Text.Encoding.UTF8.GetByteCount(host)}}""";
        IEnumerable<string> images = new[] { (Host, own), (Other, other) }.Order()
            .Select(pair => $$"""{{pair.Item2}},"platform":{"os":"linux","architecture":"{{pair.Item1}}"} }""");
        registry.PushManifest(
            repository,
            "1",
            $$"""{ "schemaVersion":2,  "mediaType":"{{IndexType}}", "manifests":[{{string.Join(", ", images)}}, {{attestation}},"platform":{"os":"unknown","architecture":"unknown"} }{{(further is null ? "" : "," + further)}}]}""",
            IndexType);
        return $"{registry.Host}/{repository}:1";
    }
}
