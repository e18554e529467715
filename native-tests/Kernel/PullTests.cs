using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull pull</c> from Debian's docker-registry: plain, TLS, logins, platforms, damage, crashes.</summary>
public sealed class PullTests(HullStore store) : KernelTest(store)
{
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    private string Content => Path.Combine(Store.Scratch, "registry");

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Pull_FromLoopback_PrintsDockersLinesAndRuns()
    {
        // Other tests of the class pull the same layer, in any order; here it must be new.
        using HullStore fresh = new();
        using RegistryServer registry = new(Content, Store.Scratch);
        registry.Push(Store, "busybox", "team/busybox:1");

        string[] lines = fresh.Run("pull", $"{registry.Host}/team/busybox:1").Ok().Split('\n');

        Assert.Equal("1: Pulling from team/busybox", lines[0]);
        Assert.Matches("^[0-9a-f]{12}: Pulling fs layer$", lines[1]);
        Assert.Contains(lines, line => line.EndsWith(": Pull complete", StringComparison.Ordinal));
        Assert.Matches("^Digest: sha256:[0-9a-f]{64}$", lines[^3]);
        Assert.Equal($"Status: Downloaded newer image for {registry.Host}/team/busybox:1", lines[^2]);
        Assert.Equal($"{registry.Host}/team/busybox:1", lines[^1]);

        string[] again = fresh.Run("pull", $"{registry.Host}/team/busybox:1").Ok().Split('\n');
        Assert.Equal(["1: Pulling from team/busybox", lines[^3], $"Status: Image is up to date for {registry.Host}/team/busybox:1", lines[^1]], again);
        Assert.Equal($"{registry.Host}/team/busybox:1", fresh.Run("pull", "-q", $"{registry.Host}/team/busybox:1").Ok());
        Assert.Equal("inside", fresh.Run("run", "--rm", $"{registry.Host}/team/busybox:1", "echo", "inside").Ok());
    }

    [KernelFact(Needs.Registry)]
    public void Pull_OnATerminal_DrawsOneLineALayer()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("bars", RandomNumberGenerator.GetBytes(4 << 20));
        registry.PushImage("bars", "1", layer, diffId);
        string id = Convert.ToHexStringLower(SHA256.HashData(layer))[..12];

        using Pty terminal = new(Repository.Hull, ["pull", $"{registry.Host}/bars:1"], Store.Environment());

        Assert.Equal(0, terminal.Finish());
        Assert.Contains($"{id}: Downloading [", terminal.Output, StringComparison.Ordinal);
        Assert.Contains($"\e[1A\r\e[2K{id}: Pull complete", terminal.Output, StringComparison.Ordinal);
        Assert.Contains($"Status: Downloaded newer image for {registry.Host}/bars:1", terminal.Output, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Run_ImageNotHere_IsPulledFirst()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        registry.Push(Store, "busybox", "first:1");

        RunResult result = Store.Run("run", "--rm", $"{registry.Host}/first:1", "echo", "inside");

        Assert.Equal("inside", result.Ok());
        Assert.Contains($"Unable to find image '{registry.Host}/first:1' locally", result.Stderr, StringComparison.Ordinal);
        Assert.Contains("Status: Downloaded newer image", result.Stderr, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Pull_EveryCompression_GivesTheSameLayers()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        registry.Push(Store, "busybox", "codec:gzip");
        Store.Shell($"skopeo copy -q --dest-tls-verify=false --format oci --dest-compress-format zstd docker-archive:{Repository.Fixture("busybox")} docker://{registry.Host}/codec:zstd", 60).Ok();

        string layers = Path.Combine(Store.DataRoot, "layers");

        Store.Run("pull", $"{registry.Host}/codec:gzip").Ok();
        int count = Directory.GetDirectories(layers).Length;
        Store.Run("pull", $"{registry.Host}/codec:zstd").Ok();

        Assert.Equal(count, Directory.GetDirectories(layers).Length);
    }

    [KernelFact(Needs.Registry)]
    public void Pull_Tls_ByTheAuthorityInCertsD()
    {
        using X509Certificate2 certificate = RegistryServer.Certificate();
        using X509Certificate2 other = RegistryServer.Certificate();
        using RegistryServer plain = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("tls", "hello"u8.ToArray());
        plain.PushImage("tls", "1", layer, diffId);
        using RegistryServer registry = new(Content, Store.Scratch, tls: certificate);
        string certs = Path.Combine(Store.Scratch, "certs.d");
        string authority = Path.Combine(certs, registry.Host, "ca.crt");
        Directory.CreateDirectory(Path.GetDirectoryName(authority)!);

        File.WriteAllText(authority, other.ExportCertificatePem());
        Store.Shell($"HULL_CERTS_DIR={certs} $HULL pull {registry.Host}/tls:1").Fails(1, $"{registry.Host} is unreachable: TLS", "certs.d");

        File.WriteAllText(authority, certificate.ExportCertificatePem());
        Store.Shell($"HULL_CERTS_DIR={certs} $HULL pull {registry.Host}/tls:1").Ok();
    }

    [KernelFact(Needs.Registry)]
    public void Pull_BasicAuthentication_ByDockersConfig()
    {
        using RegistryServer open = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("basic", "hello"u8.ToArray());
        open.PushImage("basic", "1", layer, diffId);
        using RegistryServer registry = new(Content, Store.Scratch, RegistryServer.BasicAuthentication(Store.Scratch));

        Store.Shell($"DOCKER_CONFIG=/nonexistent $HULL pull {registry.Host}/basic:1")
            .Fails(1, $"pull access denied for {registry.Host}/basic, repository does not exist or may require a login");
        string wrong = Store.Shell($"DOCKER_CONFIG={Login("wrong", registry.Host, "nonsense")} $HULL pull {registry.Host}/basic:1")
            .Fails(1, "pull access denied", "config.json");
        Assert.DoesNotContain("nonsense", wrong, StringComparison.Ordinal);
        Store.Shell($"DOCKER_CONFIG={Login("right", registry.Host, RegistryServer.Password)} $HULL pull {registry.Host}/basic:1").Ok();
    }

    [KernelFact(Needs.Registry)]
    public void Pull_TokenAuthentication_BuysTokensWithThePassword()
    {
        using RegistryServer open = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("token", "hello"u8.ToArray());
        open.PushImage("team/token", "1", layer, diffId);
        using TokenServer tokens = new(Store.Scratch);
        using RegistryServer registry = new(Content, Store.Scratch, tokens.Settings);

        Store.Shell($"DOCKER_CONFIG=/nonexistent $HULL pull {registry.Host}/team/token:1").Fails(1, "gives no anonymous token");
        Store.Shell($"DOCKER_CONFIG={Login("token", registry.Host, RegistryServer.Password)} $HULL pull {registry.Host}/team/token:1").Ok();

        Assert.Equal(1, tokens.Given);
    }

    [KernelFact(Needs.Registry)]
    public void Pull_CredentialHelper_IsAskedAndItsFailureAborts()
    {
        using RegistryServer open = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("helper", "hello"u8.ToArray());
        open.PushImage("helper", "1", layer, diffId);
        using RegistryServer registry = new(Content, Store.Scratch, RegistryServer.BasicAuthentication(Store.Scratch));
        string bin = Path.Combine(Store.Scratch, "helper-bin");
        Directory.CreateDirectory(bin);
        string config = Path.Combine(Store.Scratch, "helper-config");
        Directory.CreateDirectory(config);
        File.WriteAllText(Path.Combine(config, "config.json"), "{\"credsStore\":\"hulltest\"}");
        Store.Shell($$"""
            cat > {{bin}}/docker-credential-hulltest <<'END'
            #!/bin/sh
            read -r server
            [ -z "$BROKEN" ] || { echo "the vault is sealed"; exit 1; }
            echo "{\"ServerURL\":\"$server\",\"Username\":\"{{RegistryServer.User}}\",\"Secret\":\"{{RegistryServer.Password}}\"}"
            END
            chmod 755 {{bin}}/docker-credential-hulltest
            """).Ok();

        Store.Shell($"PATH={bin}:$PATH BROKEN=1 DOCKER_CONFIG={config} $HULL pull {registry.Host}/helper:1")
            .Fails(1, "docker-credential-hulltest failed: exit status 1: the vault is sealed");
        Store.Shell($"PATH={bin}:$PATH DOCKER_CONFIG={config} $HULL pull {registry.Host}/helper:1").Ok();
    }

    [KernelFact(Needs.Registry)]
    public void Pull_Index_ChoosesThePlatform()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("index", "hello"u8.ToArray());
        string amd = registry.PushImage("multi", "amd", layer, diffId, "amd64");
        string arm = registry.PushImage("multi", "arm", layer, diffId, "arm64");
        registry.PushManifest(
            "multi", "1",
            $"{{\"schemaVersion\":2,\"mediaType\":\"{IndexType}\",\"manifests\":["
                + $"{arm},\"platform\":{{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}}}},"
                + $"{amd},\"platform\":{{\"os\":\"linux\",\"architecture\":\"amd64\"}}}}]}}",
            IndexType);

        foreach (string architecture in new[] { "amd64", "arm64" })
        {
            Store.Run("pull", "--platform", $"linux/{architecture}", $"{registry.Host}/multi:1").Ok();
            Assert.Equal(architecture, Store.Run("inspect", "--format", "{{.Architecture}}", $"{registry.Host}/multi:1").Ok());
        }

        Store.Run("pull", "--platform", "linux/s390x", $"{registry.Host}/multi:1")
            .Fails(1, "no matching manifest for linux/s390x", "linux/arm64/v8, linux/amd64");
        Store.Run("pull", "--platform", "linux/arm64", $"{registry.Host}/multi:amd").Fails(1, "wanted linux/arm64, actual: linux/amd64");
    }

    [KernelFact(Needs.Registry)]
    public void Pull_UnknownName_SaysWhichAndRunExits125()
    {
        using RegistryServer registry = new(Content, Store.Scratch);

        Store.Run("pull", $"{registry.Host}/no/such:1").Fails(1, $"manifest for {registry.Host}/no/such:1 not found");
        Store.Run("run", "--rm", $"{registry.Host}/no/such:1", "true").Fails(125, $"manifest for {registry.Host}/no/such:1 not found");
        Store.Run("pull", "127.0.0.1:1/x").Fails(1, "pull 127.0.0.1:1/x:latest: 127.0.0.1:1 is unreachable: connection refused");
        Store.Run("run", "--rm", "127.0.0.1:1/x", "true").Fails(125, "127.0.0.1:1 is unreachable: connection refused");
        Store.Run("pull", "registry.invalid/x").Fails(1, "registry.invalid:443 is unreachable: ");
        Store.Run("pull", "Upper/Case").Fails(1, "invalid reference format");
    }

    [KernelFact(Needs.Root)]
    public void Pull_RateLimited_SaysSoInWords()
    {
        string prefix = $"127.0.0.1:{RegistryServer.FreePort()}";
        using HttpListener listener = new();
        listener.Prefixes.Add($"http://{prefix}/");
        listener.Start();
        Task server = Task.Run(async () =>
        {
            HttpListenerContext context = await listener.GetContextAsync();
            context.Response.StatusCode = 429;
            context.Response.Headers["Retry-After"] = "21600";
            context.Response.Close("""{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"""u8.ToArray(), true);
        });

        Store.Run("pull", $"{prefix}/busybox").Fails(1, "toomanyrequests: You have reached your pull rate limit.", "try again in 21600 s or log in");

        server.Wait();
    }

    [KernelFact(Needs.Registry)]
    public void Pull_DamagedBlob_IsRefusedAndLeavesNothing()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("damage", RandomNumberGenerator.GetBytes(100_000));
        registry.PushImage("damage", "1", layer, diffId);
        string digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(layer));
        string file = registry.BlobFile(digest);

        byte[] changed = [.. layer];
        changed[50_000] ^= 1;
        File.WriteAllBytes(file, changed);
        Store.Run("pull", $"{registry.Host}/damage:1").Fails(1, $"pull {registry.Host}/damage:1");

        File.WriteAllBytes(file, layer[..^1000]);
        Store.Run("pull", $"{registry.Host}/damage:1").Fails(1, $"layer {digest[7..19]} is truncated in the registry");

        Assert.Equal("", Store.Run("images", "-q", $"{registry.Host}/damage").Ok());
        Assert.False(File.Exists(Path.Combine(Store.DataRoot, "images/blobs/sha256", digest[7..])));
        File.WriteAllBytes(file, layer);
        Store.Run("pull", $"{registry.Host}/damage:1").Ok();
    }

    [KernelFact(Needs.Registry)]
    public void Pull_DiskFull_SaysSoAndLeavesNothing()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("full", RandomNumberGenerator.GetBytes(8 << 20));
        registry.PushImage("full", "1", layer, diffId);
        string small = Path.Combine(Store.Scratch, "small");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=6m small {small}").Ok();
        try
        {
            Store.Shell($"HULL_DATA_ROOT={small}/data $HULL pull {registry.Host}/full:1").Fails(1, $"pull {registry.Host}/full:1", "no space left on device");
            Assert.Equal("", Store.Shell($"find {small}/data -name 'new-*'; HULL_DATA_ROOT={small}/data $HULL images -q").Ok());
        }
        finally
        {
            Store.Shell($"umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Registry)]
    public void Pull_SameImageTwiceAtOnce_BothSucceed()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("twice", RandomNumberGenerator.GetBytes(10 << 20));
        registry.PushImage("twice", "1", layer, diffId);

        using HullProcess first = Store.Start("pull", $"{registry.Host}/twice:1");
        using HullProcess second = Store.Start("pull", $"{registry.Host}/twice:1");

        first.Finish(60).Ok();
        second.Finish(60).Ok();
        Assert.Single(Store.Run("images", "-q", $"{registry.Host}/twice").Ok().Split('\n'));
    }

    [KernelFact(Needs.Registry)]
    public void Pull_KilledInMidLayer_NextCommandReadsAndSweeps()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("killed", RandomNumberGenerator.GetBytes(48 << 20));
        registry.PushImage("killed", "1", layer, diffId);
        string[] staging = [Path.Combine(Store.DataRoot, "layers"), Path.Combine(Store.DataRoot, "images/staging")];
        string[] Left() => [.. staging.Where(Directory.Exists).SelectMany(d => Directory.GetFileSystemEntries(d, "new-*"))];

        for (int round = 0; round < 5; round++)
        {
            using HullProcess pull = Store.Start("pull", $"{registry.Host}/killed:1");
            Wait.Until(() => Left().Length > 0 || pull.HasExited, 20, () => $"no layer is staged: {pull.Stdout} {pull.Stderr}");
            Thread.Sleep(round * 20);
            pull.Kill();
            Wait.Until(() => pull.HasExited, 10, () => "a killed pull does not end");

            Assert.Equal("", Store.Run("images", "-q", $"{registry.Host}/killed").Ok());
            Assert.Empty(Left());
        }

        Store.Run(60, "pull", $"{registry.Host}/killed:1").Ok();
        Assert.Empty(Left());
    }

    [KernelFact(Needs.Registry)]
    public void Pull_LargeLayer_TakesBoundedMemory()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        (byte[] layer, string diffId) = RegistryServer.Layer("large", RandomNumberGenerator.GetBytes(200 << 20));
        registry.PushImage("large", "1", layer, diffId);

        using HullProcess pull = Store.Start("pull", $"{registry.Host}/large:1");
        long most = 0;
        while (!pull.HasExited)
        {
            most = Math.Max(most, Machine.PeakKilobytes(pull.Pid));
            Thread.Sleep(10);
        }

        pull.Finish(60).Ok();
        Assert.InRange(most, 1, 150 << 10);
        Store.Run("rmi", $"{registry.Host}/large:1").Ok();
    }

    /// <summary>A directory with a config.json that holds the test's user with this password.</summary>
    private string Login(string name, string host, string password)
    {
        string directory = Path.Combine(Store.Scratch, "login-" + name);
        Directory.CreateDirectory(directory);
        string auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.User}:{password}"));
        File.WriteAllText(Path.Combine(directory, "config.json"), $"{{\"auths\":{{\"{host}\":{{\"auth\":\"{auth}\"}}}}}}");
        return directory;
    }
}
