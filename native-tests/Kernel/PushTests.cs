using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull push</c> to Debian's docker-registry: plain, TLS, logins, mounts, broken connections; skopeo and podman as
/// second opinions.</summary>
public sealed class PushTests(HullStore store) : KernelTest(store)
{
    private string Content => Path.Combine(Store.Scratch, "push-registry");

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Push_LoadedImage_IsReadByOthersAndRuns()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = Tagged(registry.Host, "team/busybox:1");

        string[] lines = Store.Run("push", name).Ok().Split('\n');

        Assert.Equal($"The push refers to repository [{registry.Host}/team/busybox]", lines[0]);
        Assert.Matches("^[0-9a-f]{12}: Preparing$", lines[1]);
        Assert.Contains(lines, line => line.EndsWith(": Pushed", StringComparison.Ordinal));
        string digest = registry.DigestOf("team/busybox", "1");
        Assert.Matches($"^1: digest: {digest} size: [0-9]+$", lines[^1]);
        Assert.Equal(digest, Store.Run("inspect", "--format", "{{index .RepoDigests 0}}", name).Ok().Split('@')[1]);

        // skopeo compares every digest on the way.
        Store.Shell($"skopeo copy -q --src-tls-verify=false docker://{name} oci:{Store.Scratch}/layout:1", 60).Ok();
        using HullStore fresh = new();
        Assert.Equal("inside", fresh.Run("run", "--rm", "-q", name, "echo", "inside").Ok());

        Assert.Contains("Layer already exists", Store.Run("push", name).Ok(), StringComparison.Ordinal);
        Assert.Equal(digest, registry.DigestOf("team/busybox", "1"));
        Assert.Equal(name, Store.Run("push", "-q", name).Ok());
    }

    [KernelFact(Needs.Registry | Needs.Podman)]
    public void Push_Podman_PullsIt()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = Tagged(registry.Host, "podman:1");
        Store.Run("push", "-q", name).Ok();
        string podman = $"podman --root {Store.Scratch}/podman --runroot {Store.Scratch}/podman-run --storage-driver vfs";
        try
        {
            string id = Store.Shell($"{podman} pull -q --tls-verify=false {name}", 60).Ok();

            Assert.Equal(Store.Run("inspect", "--format", "{{.Id}}", name).Ok(), "sha256:" + id);
        }
        finally
        {
            Store.Shell($"{podman} rmi -af; umount {Store.Scratch}/podman 2>/dev/null; rm -rf {Store.Scratch}/podman {Store.Scratch}/podman-run");
        }
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Push_PulledFromSkopeo_KeepsDigestsOfBothFormats()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        foreach (string format in new[] { "v2s2", "oci" })
        {
            Store.Shell($"skopeo copy -q --dest-tls-verify=false --format {format} docker-archive:{Repository.Fixture("busybox")} docker://{registry.Host}/from:{format}", 60).Ok();
            Store.Run("pull", "-q", $"{registry.Host}/from:{format}").Ok();
            Store.Run("tag", $"{registry.Host}/from:{format}", $"{registry.Host}/to-{format}:1").Ok();

            string output = Store.Run("push", $"{registry.Host}/to-{format}:1").Ok();

            Assert.Equal(registry.DigestOf("from", format), registry.DigestOf($"to-{format}", "1"));
            Assert.Contains(": Mounted from from", output, StringComparison.Ordinal);
        }

        Store.Run("tag", $"{registry.Host}/from:oci", $"{registry.Host}/many:a").Ok();
        Store.Run("tag", $"{registry.Host}/from:oci", $"{registry.Host}/many:b").Ok();
        Assert.Equal($"{registry.Host}/many:a\n{registry.Host}/many:b", Store.Run("push", "-qa", $"{registry.Host}/many").Ok());
        Assert.Equal(registry.DigestOf("from", "oci"), registry.DigestOf("many", "b"));
    }

    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void ManifestPush_List_BringsItsImages_AndEachPlatformIsFound()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string list = $"{registry.Host}/multi:1";
        Store.Run("create", "--name", "other", Store.Busybox, "true").Ok();
        Store.Run("commit", "other", "other:1").Ok();
        Store.Run("manifest", "create", list, "busybox", "other:1").Ok();
        Store.Run("manifest", "annotate", "--arch", "s390x", list, "other:1").Ok();
        string other = Store.Run("inspect", "--format", "{{.Id}}", "other:1").Ok();
        Store.RemoveContainers();
        Store.Run("rmi", "other:1").Ok();

        string output = Store.Run("manifest", "push", "--purge", list).Ok();

        Assert.Equal(registry.DigestOf("multi", "1"), output.Split('\n')[^1]);
        Assert.Contains($"Pushed ref {registry.Host}/multi@sha256:", output, StringComparison.Ordinal);
        // The local list is gone, so the registry is asked.
        Assert.Contains("\"architecture\": \"s390x\"", Store.Run("manifest", "inspect", list).Ok(), StringComparison.Ordinal);
        Assert.Contains($"\"Ref\": \"{registry.Host}/multi@sha256:", Store.Run("manifest", "inspect", "-v", list).Ok(), StringComparison.Ordinal);
        Store.Run("manifest", "inspect", $"{registry.Host}/multi:2").Fails(1, $"No such image: {registry.Host}/multi:2 here, nor in its registry");
        string config = Store.Shell($"skopeo inspect --raw --tls-verify=false --override-arch s390x --config docker://{list} | sha256sum", 60).Ok();
        Assert.Equal(other, "sha256:" + config.Split(' ')[0]);
        using HullStore fresh = new();
        Assert.Equal("inside", fresh.Run("run", "--rm", "-q", list, "echo", "inside").Ok());
    }

    [KernelFact(Needs.Registry)]
    public void ManifestPush_NoSuchList_SaysSo() =>
        Store.Run("manifest", "push", "localhost:1/nothing:1").Fails(1, "No such manifest: localhost:1/nothing:1");

    [KernelFact(Needs.Registry)]
    public void Push_TlsAndBasicAuthentication_ByCertsAndConfig()
    {
        using X509Certificate2 certificate = RegistryServer.Certificate();
        using RegistryServer registry = new(Content, Store.Scratch, RegistryServer.BasicAuthentication(Store.Scratch), certificate);
        string certs = Path.Combine(Store.Scratch, "push-certs.d");
        Directory.CreateDirectory(Path.Combine(certs, registry.Host));
        File.WriteAllText(Path.Combine(certs, registry.Host, "ca.crt"), certificate.ExportCertificatePem());
        string name = Tagged(registry.Host, "tls:1");

        Store.Shell($"HULL_CERTS_DIR={certs} DOCKER_CONFIG=/nonexistent $HULL push {name}")
            .Fails(1, $"push access denied for {registry.Host}/tls, repository does not exist or may require authorization", $"hull login {registry.Host}");
        string login = Login(registry.Host);
        Store.Shell($"HULL_CERTS_DIR={certs} DOCKER_CONFIG={login} $HULL push -q {name}").Ok();
        Store.Shell($"HULL_CERTS_DIR={certs} DOCKER_CONFIG={login} $HULL pull -q {name}").Ok();
    }

    [KernelFact(Needs.Registry)]
    public void Push_TokenAuthentication_BuysOneTokenForAll()
    {
        using TokenServer tokens = new(Store.Scratch);
        using RegistryServer registry = new(Content, Store.Scratch, tokens.Settings);
        string login = Login(registry.Host);

        Store.Shell($"DOCKER_CONFIG={login} $HULL push -q {Tagged(registry.Host, "team/one:1")}").Ok();
        Assert.Equal(1, tokens.Given);

        // The second repository's token also allows to pull from the first.
        string output = Store.Shell($"DOCKER_CONFIG={login} $HULL push {Tagged(registry.Host, "team/two:1")}").Ok();
        Assert.Contains(": Mounted from team/one", output, StringComparison.Ordinal);
        Assert.Equal(2, tokens.Given);
    }

    [KernelFact(Needs.Registry)]
    public void Push_ConnectionCut_IsFinishedAllTheSame()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        using FaultyProxy proxy = new(registry.Port, _ => new Fault { CutUploadAfter = 200_000 }) { AtMost = 2 };
        string name = Random(proxy.Host, "cut:1", 2 << 20);

        string output = Store.Run("push", name).Ok();

        Assert.Equal(2, proxy.Cuts);
        Assert.Contains(": Retrying in 1 second", output, StringComparison.Ordinal);
        Assert.Contains(registry.DigestOf("cut", "1"), output, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry)]
    public void Push_ConnectionStalls_GoesOnOrGivesUpInWords()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        using FaultyProxy once = new(registry.Port, _ => new Fault { StallUploadAfter = 200_000 }) { AtMost = 1 };
        using FaultyProxy always = new(registry.Port, _ => new Fault { StallUploadAfter = 200_000 });
        string name = Random(once.Host, "stalls:1", 2 << 20);
        Store.Run("tag", name, $"{always.Host}/gives-up:1").Ok();

        string output = Store.Shell($"HULL_REGISTRY_TIMEOUT=700ms $HULL push {name}").Ok();

        Assert.Equal(1, once.Stalls);
        Assert.Contains(": Retrying in 1 second", output, StringComparison.Ordinal);
        Assert.Contains(registry.DigestOf("stalls", "1"), output, StringComparison.Ordinal);
        string error = Store.Shell($"HULL_REGISTRY_TIMEOUT=300ms HULL_REGISTRY_ATTEMPTS=1 $HULL push {always.Host}/gives-up:1")
            .Fails(1, $"push {always.Host}/gives-up:1: layer ", "bytes: no answer for 0.3 s (a slow network may need more: HULL_REGISTRY_TIMEOUT");
        Assert.Contains($": {always.Host} is unreachable: the upload stalled after ", error, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry)]
    public void Push_ProxyThatTakesNoLargeRequest_GoesInPieces()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        using LimitingProxy proxy = new(registry.Port, 1 << 20);
        using LimitingProxy narrow = new(registry.Port, 10_000);
        string name = Random(proxy.Host, "pieces:1", 3 << 20);
        Store.Run("tag", name, $"{narrow.Host}/refused:1").Ok();

        string output = Store.Run("push", name).Ok();

        Assert.Equal(1, proxy.Refused);
        Assert.Contains(registry.DigestOf("pieces", "1"), output, StringComparison.Ordinal);
        Store.Run("push", $"{narrow.Host}/refused:1").Fails(1, "too large: more than the registry, a quota of it, or a proxy before it takes, in smaller requests too");
    }

    [KernelFact(Needs.Registry)]
    public void Push_AnswersOfAFullDisk_AreNoSuccess()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        using FaultyProxy proxy = new(registry.Port, _ => new Fault { Replace = ("201 Created", "507 Full") });

        Store.Run(60, "push", Random(proxy.Host, "lie:1", 1000)).Fails(1, $"push {proxy.Host}/lie:1: manifest 1: the server answered with status 507");
    }

    [KernelFact(Needs.Registry)]
    public void Push_Refused_SaysWhyAndWhatToDo()
    {
        using RegistryServer readOnly = new(Content, Store.Scratch, readOnly: true);

        Store.Run("push", Tagged(readOnly.Host, "app:1")).Fails(1, $"push {readOnly.Host}/app:1: {readOnly.Host} is read-only or a mirror");
        Store.Run("push", Tagged("127.0.0.1:1", "app:1")).Fails(1, "push 127.0.0.1:1/app:1: 127.0.0.1:1 is unreachable: connection refused");
        Store.Run("push", $"{readOnly.Host}/nothing").Fails(1, $"An image does not exist locally with the tag: {readOnly.Host}/nothing:latest");
        Store.Run("push", "-a", $"{readOnly.Host}/nothing").Fails(1, $"An image does not exist locally with the tag: {readOnly.Host}/nothing");
        Store.Run("push", "-a", $"{readOnly.Host}/app:1").Fails(1, "tag can't be used with --all-tags/-a");
        Store.Run("push", $"x@sha256:{new string('0', 64)}").Fails(1, "cannot push a digest reference");
        Store.Run("push", "Upper/Case").Fails(1, "invalid reference format");
        Store.Run("push", "--progress", "loud", "x").Fails(125, "expected auto, plain, tty or json");
    }

    [KernelFact(Needs.Registry)]
    public void Push_ProgressKinds_BarsAndObjects()
    {
        using RegistryServer registry = new(Content, Store.Scratch);
        string name = Random(registry.Host, "bars:1", 1 << 20);

        using Pty terminal = new(Repository.Hull, ["push", name], Store.Environment());
        Assert.Equal(0, terminal.Finish());
        Assert.Contains(": Pushing [", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("1: digest: sha256:", terminal.Output, StringComparison.Ordinal);

        string[] objects = Store.Run("push", "--progress", "json", name).Ok().Split('\n');
        Assert.All(objects, line => Assert.Matches("^{\"status\":\".*}$", line));
        Assert.Contains(objects, line => line.Contains("\"status\":\"Layer already exists\",\"progressDetail\":{},\"id\":", StringComparison.Ordinal));
        Assert.StartsWith("{\"status\":\"1: Pulling from bars\"}\n", Store.Run("pull", "--progress=json", name).Ok(), StringComparison.Ordinal);
    }

    /// <summary>The busybox image under a further name.</summary>
    private string Tagged(string host, string name)
    {
        Store.Run("tag", Store.Busybox, $"{host}/{name}").Ok();
        return $"{host}/{name}";
    }

    /// <summary>An image of one layer that no registry has and that gzip makes no smaller.</summary>
    private string Random(string host, string name, int size)
    {
        File.WriteAllBytes(Path.Combine(Store.Scratch, "random"), RandomNumberGenerator.GetBytes(size));
        Store.Shell($"tar -C {Store.Scratch} -cf - random | $HULL import - {host}/{name}").Ok();
        return $"{host}/{name}";
    }

    private string Login(string host)
    {
        string directory = Path.Combine(Store.Scratch, "push-login");
        Directory.CreateDirectory(directory);
        string auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.User}:{RegistryServer.Password}"));
        File.WriteAllText(Path.Combine(directory, "config.json"), $"{{\"auths\":{{\"{host}\":{{\"auth\":\"{auth}\"}}}}}}");
        return directory;
    }
}
