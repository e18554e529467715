using System.Security.Cryptography.X509Certificates;
using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>Whole pulls from a fake registry into a store in a temporary directory.</summary>
public sealed class PullTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ImageStore _store;
    private readonly StringWriter _output = new();
    private readonly TextWriter _lines;

    public PullTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "unpacking keeps owners, which takes root");
        _lines = TextWriter.Synchronized(_output);
        _store = ImageStore.Open(_directory.Path, new ImageStoreOptions { Sync = false });
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Pull_NewImage_IsInTheStoreWithDockersLines()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "one");

        PullResult result = await PullAsync($"{registry.Host}/team/app:1");

        string layer = image.Layers[0].Short;
        Assert.Equal(
            $"""
            1: Pulling from team/app
            {layer}: Pulling fs layer
            {layer}: Verifying Checksum
            {layer}: Download complete
            {layer}: Pull complete
            Digest: {image.Manifest}
            Status: Downloaded newer image for {registry.Host}/team/app:1

            """,
            _output.ToString());
        Assert.True(result.Downloaded);
        Assert.Equal(image.Config, _store.Find($"{registry.Host}/team/app:1").Required().Id);
        Assert.Equal(image.Config, _store.Find($"{registry.Host}/team/app@{image.Manifest}").Required().Id);
        Assert.Equal("one", File.ReadAllText($"{_store.Layers.DirectoryOf(result.Image.ChainIds[0])}/hello-one"));
        Assert.True(_store.Blobs.Contains(image.Layers[0]));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Pull_Again_IsUpToDateByOneHeadRequest()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        await PullAsync($"{registry.Host}/app:1");
        int before = registry.Requests.Count();

        PullResult result = await PullAsync($"{registry.Host}/app:1");

        Assert.False(result.Downloaded);
        Assert.EndsWith($"Digest: {image.Manifest}\nStatus: Image is up to date for {registry.Host}/app:1\n", _output.ToString(), StringComparison.Ordinal);
        FakeRequest head = Assert.Single(registry.Requests.Skip(before));
        Assert.Equal($"HEAD /v2/app/manifests/1", head.ToString());
    }

    [Fact]
    public async Task Pull_TagMoved_SharesTheLayersBelow()
    {
        using FakeRegistry registry = new();
        FakeImage old = registry.AddImage("1", "amd64", "base", "old");
        await PullAsync($"{registry.Host}/app:1");
        FakeImage moved = registry.AddImage("1", "amd64", "base", "new");
        _output.GetStringBuilder().Clear();

        PullResult result = await PullAsync($"{registry.Host}/app:1");

        Assert.True(result.Downloaded);
        Assert.Contains($"{moved.Layers[0].Short}: Already exists\n{moved.Layers[1].Short}: Pulling fs layer", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(moved.Config, _store.Find($"{registry.Host}/app:1").Required().Id);
        Assert.Equal(old.Config, _store.Find($"{registry.Host}/app@{old.Manifest}").Required().Id);
        Assert.Single(registry.Requests, r => r.Path.EndsWith(old.Layers[0].ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_SameLayerTwice_IsFetchedOnce()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "a", "same", "same", "b", "same");

        PullResult result = await PullAsync($"{registry.Host}/app:1");

        Assert.Equal(5, result.Image.ChainIds.Count);
        Assert.Single(registry.Requests, r => r.Path.EndsWith(image.Layers[1].ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_ByDigest_NamesTheDigestOnly()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage(null);

        PullResult result = await PullAsync($"{registry.Host}/app@{image.Manifest}");

        Assert.StartsWith($"{image.Manifest}: Pulling from app\n", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal([$"{registry.Host}/app@{image.Manifest}"], result.Image.References.Select(r => r.Familiar));
    }

    [Fact]
    public async Task Pull_ManyLayers_AtMostThreeAtOnce()
    {
        using FakeRegistry registry = new();
        registry.AddImage("1", "amd64", [.. Enumerable.Range(0, 9).Select(i => $"layer{i}")]);
        int now = 0;
        int most = 0;
        registry.Intercept = request =>
        {
            if (request.Path.Contains("/blobs/", StringComparison.Ordinal))
            {
                int current = Interlocked.Increment(ref now);
                most = Math.Max(most, current);
                Thread.Sleep(30);
                Interlocked.Decrement(ref now);
            }

            return null;
        };

        await PullAsync($"{registry.Host}/app:1");

        Assert.InRange(most, 2, 3);
    }

    [Fact]
    public async Task Pull_LayerOfAnotherDigest_LeavesNothing()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "good1", "evil1");
        (byte[] other, _) = FakeRegistry.Layer("evil2");
        byte[] padded = new byte[SizeOf(image, 1)];
        other.AsSpan(0, Math.Min(other.Length, padded.Length)).CopyTo(padded);
        registry.Corrupt(image.Layers[1], padded);

        ImageException error = await Assert.ThrowsAsync<ImageException>(() => PullAsync($"{registry.Host}/app:1"));

        Assert.Equal(ImageError.Corrupt, error.Kind);
        Assert.StartsWith($"pull {registry.Host}/app:1: layer ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"digest mismatch: expected {image.Layers[1]}", error.Message, StringComparison.Ordinal);
        Assert.Null(_store.Find($"{registry.Host}/app:1").Image);
        Assert.False(_store.Blobs.Contains(image.Layers[1]));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Pull_TruncatedLayer_LeavesNothing()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        registry.Intercept = request => request.Path.EndsWith(image.Layers[0].ToString(), StringComparison.Ordinal)
            ? new FakeResponse(200, new byte[SizeOf(image, 0)]) { CutAfter = 10 }
            : null;

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync($"{registry.Host}/app:1"));

        Assert.Equal($"pull {registry.Host}/app:1: layer {image.Layers[0].Short} is truncated: 10 of {SizeOf(image, 0)} bytes came from {registry.Host}", error.Message);
        Assert.Contains("Retrying in 1 second", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Pull_DiskFull_SaysWhatToDo()
    {
        ImageException explained = LayerApplier.Explain(
            new Hull.Linux.SyscallException("write", "x", Hull.Linux.Errno.ENOSPC), "layer sha256:0")!;

        Assert.Contains("no space left on device (free space below the data root, or choose another with --data-root)", explained.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_NotFound_NamesTheReference()
    {
        using FakeRegistry registry = new();

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync($"{registry.Host}/app:nope"));

        Assert.Equal(RegistryError.NotFound, error.Kind);
        Assert.Equal($"manifest for {registry.Host}/app:nope not found: manifest unknown: manifest unknown", error.Message);
    }

    [Fact]
    public async Task Pull_NobodyListens_SaysSoOnce()
    {
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync("127.0.0.1:1/app:1"));

        Assert.Equal("pull 127.0.0.1:1/app:1: 127.0.0.1:1 is unreachable: connection refused", error.Message);
    }

    [Fact]
    public async Task Pull_LoopbackWithTls_IsPulledOverTls()
    {
        using X509Certificate2 certificate = FakeRegistry.Certificate("127.0.0.1");
        using FakeRegistry registry = new(certificate);
        registry.AddImage("1");

        Assert.True((await PullAsync($"{registry.Host}/app:1")).Downloaded);
    }

    [Fact]
    public async Task CVE_2014_5277_LoopbackWithCertsD_NeverFallsBackToHttp()
    {
        using FakeRegistry plain = new();
        plain.AddImage("1");
        using X509Certificate2 certificate = FakeRegistry.Certificate("127.0.0.1");
        using TemporaryDirectory certificates = new();
        certificates.Write($"{plain.Host}/ca.crt", certificate.ExportCertificatePem());

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => PullAsync($"{plain.Host}/app:1", FakeRegistry.Settings with { CertificateDirectories = [certificates.Path] }));

        Assert.Equal(RegistryError.Unreachable, error.Kind);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task Pull_MirrorHasIt_DockerHubIsNotAsked()
    {
        using FakeRegistry mirror = new();
        mirror.AddImage("latest");

        PullResult result = await PullAsync("busybox", FakeRegistry.Settings with { Mirrors = [new Uri($"http://{mirror.Host}")] });

        Assert.Equal("docker.io/library/busybox:latest", result.Reference.ToString());
        Assert.All(mirror.Requests, request => Assert.StartsWith("/v2/library/busybox/", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_MirrorFails_DockerHubIsAsked()
    {
        using FakeRegistry mirror = new();
        using X509Certificate2 certificate = FakeRegistry.Certificate("registry-1.docker.io");
        using FakeRegistry hub = new(certificate);
        hub.AddImage("latest");
        using TemporaryDirectory certificates = new();
        certificates.Write("registry-1.docker.io/ca.crt", certificate.ExportCertificatePem());

        PullResult result = await PullAsync(
            "busybox",
            FakeRegistry.Settings with { Mirrors = [new Uri("http://127.0.0.1:1"), new Uri($"http://{mirror.Host}")], CertificateDirectories = [certificates.Path] },
            FakeRegistry.Names(("registry-1.docker.io", hub.Server.Port), ("127.0.0.1", mirror.Server.Port)));

        Assert.True(result.Downloaded);
        Assert.NotEmpty(hub.Requests);
    }

    [Fact]
    public async Task Pull_SameImageTwiceAtOnce_BothSucceed()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "a", "b", "c", "d");

        PullResult[] results = await Task.WhenAll(PullAsync($"{registry.Host}/app:1"), PullAsync($"{registry.Host}/app:1"));

        Assert.All(results, result => Assert.Equal(image.Config, result.Image.Id));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Pull_SameBlobTwiceAtOnce_IsFetchedOnce()
    {
        using FakeRegistry registry = new();
        FakeImage first = registry.AddImage("1", "amd64", "base", "one", "shared");
        registry.AddImage("2", "amd64", "shared", "two");
        using ManualResetEventSlim asked = new();
        using ManualResetEventSlim waits = new();
        registry.Intercept = request =>
        {
            if (request.Path.EndsWith(first.Layers[2].ToString(), StringComparison.Ordinal))
            {
                asked.Set();
                Assert.True(waits.Wait(TimeSpan.FromSeconds(30)));
            }

            return null;
        };
        Task<PullResult> one = PullAsync($"{registry.Host}/app:1");
        Assert.True(asked.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        OnPhase second = new(TransferPhase.Waiting, waits.Set);

        PullResult two = await Puller(FakeRegistry.Settings, null).PullAsync(
            ImageReference.Parse($"{registry.Host}/app:2"), null, second, TestContext.Current.CancellationToken);

        Assert.Equal(2, two.Image.ChainIds.Count);
        Assert.Equal(3, (await one).Image.ChainIds.Count);
        Assert.Contains(TransferPhase.AlreadyExists, second.Seen);
        Assert.Single(registry.Requests, request => request.Path.EndsWith(first.Layers[2].ToString(), StringComparison.Ordinal));
        Assert.Empty(Leftovers());
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task Pull_PartOfAKilledPull_IsGoneOnWith(bool intact, int requests)
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "one");
        byte[] part = await new HttpClient().GetByteArrayAsync(new Uri($"http://{registry.Host}/v2/app/blobs/{image.Layers[0]}"), TestContext.Current.CancellationToken);
        part[20] ^= intact ? (byte)0 : (byte)1;
        string file = PartOf(image);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, part[..50]);
        int before = registry.Requests.Count();

        await PullAsync($"{registry.Host}/app:1");

        FakeRequest[] fetched = [.. registry.Requests.Skip(before).Where(r => r.Path.EndsWith(image.Layers[0].ToString(), StringComparison.Ordinal))];
        Assert.Equal(requests, fetched.Length);
        Assert.Equal("bytes=50-", fetched[0].Headers["Range"]);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Pull_Interrupted_LeavesAPartThatIsNoBlobAndIsSweptByAge()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "one");
        registry.Intercept = request => request.Path.EndsWith(image.Layers[0].ToString(), StringComparison.Ordinal)
            ? new FakeResponse(200, new byte[SizeOf(image, 0)]) { CutAfter = 10 }
            : null;
        await Assert.ThrowsAsync<RegistryException>(() => PullAsync($"{registry.Host}/app:1"));
        string file = PartOf(image);

        Assert.Equal(10, new FileInfo(file).Length);
        Assert.False(_store.Blobs.Contains(image.Layers[0]));
        _store.Sweep();
        Assert.True(File.Exists(file));
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-25));
        _store.Sweep();
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Pull_AllTags_FollowsThePagesOnTheSameHostOnly()
    {
        using FakeRegistry registry = new();
        registry.AddImage("a", "amd64", "one");
        registry.AddImage("b", "amd64", "two");
        registry.Intercept = request => request.Path.EndsWith("/tags/list", StringComparison.Ordinal)
            ? request.Query.Contains("last=a", StringComparison.Ordinal)
                ? FakeResponse.Text(200, """{"name":"app","tags":["b"]}""").With("Link", "<http://evil.example/v2/app/tags/list?last=b>; rel=\"next\"")
                : FakeResponse.Text(200, """{"name":"app","tags":["a"]}""").With("Link", "</v2/app/tags/list?n=1&last=a>; rel=\"next\"")
            : null;

        IReadOnlyList<PullResult> results = await Puller(FakeRegistry.Settings, null).PullAllAsync(
            ImageReference.Parse($"{registry.Host}/app"), null, new SilentTransferProgress(), TestContext.Current.CancellationToken);

        Assert.Equal(["a", "b"], results.Select(result => result.Reference.Tag));
    }

    [Theory]
    [InlineData("""{"tags":["../x"]}""", "the registry lists a tag that is none: '../x'")]
    [InlineData("""{"tags":"a"}""", "sent a list that is not of the expected form")]
    public async Task Pull_AllTags_HostileList_IsRefused(string body, string expected)
    {
        using FakeRegistry registry = new();
        registry.Intercept = _ => FakeResponse.Text(200, body);

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => Puller(FakeRegistry.Settings, null).PullAllAsync(
            ImageReference.Parse($"{registry.Host}/app"), null, new SilentTransferProgress(), TestContext.Current.CancellationToken));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_MirrorOfAnotherRegistry_IsAskedFirst()
    {
        using FakeRegistry mirror = new();
        mirror.AddImage("1");

        PullResult result = await PullAsync(
            "quay.example/team/app:1",
            FakeRegistry.Settings with { RegistryMirrors = new Dictionary<string, IReadOnlyList<Uri>> { ["quay.example"] = [new Uri($"http://{mirror.Host}")] } });

        Assert.Equal("quay.example/team/app:1", result.Reference.ToString());
    }

    [Fact]
    public async Task Pull_Cancelled_LeavesNothing()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1");
        using CancellationTokenSource cancel = new();
        registry.Intercept = request =>
        {
            if (request.Path.EndsWith(image.Layers[0].ToString(), StringComparison.Ordinal))
            {
                cancel.Cancel();
                Thread.Sleep(200);
            }

            return null;
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Puller(FakeRegistry.Settings, null).PullAsync(ImageReference.Parse($"{registry.Host}/app:1"), null, new SilentTransferProgress(), cancel.Token));

        Assert.Null(_store.Find($"{registry.Host}/app:1").Image);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task CVE_2021_20291_LayerThatEndsBeforeItsStream_DoesNotBlockTheNextPull()
    {
        using FakeRegistry registry = new();
        FakeImage image = registry.AddImage("1", "amd64", "one");
        byte[] garbage = new byte[SizeOf(image, 0)];
        garbage[0] = 0x1f;
        garbage[1] = 0x8b;
        registry.Corrupt(image.Layers[0], garbage);
        await Assert.ThrowsAnyAsync<Exception>(() => PullAsync($"{registry.Host}/app:1"));

        FakeImage good = registry.AddImage("2", "amd64", "two");

        Assert.Equal(good.Config, (await PullAsync($"{registry.Host}/app:2")).Image.Id);
    }

    [Fact]
    public async Task CVE_2025_47290_ConcurrentPullsOfCraftedLayers_StayInTheirOwn()
    {
        using FakeRegistry registry = new();
        string canary = _directory.Write("canary", "canary");
        for (int i = 0; i < 6; i++)
        {
            TarBuilder tar = new();
            for (int n = 0; n < 100; n++)
            {
                tar.Symlink("d", n % 2 == 0 ? _directory.Path : $"../../new-{n}").File("d/canary", $"owned {i}").Dir("d").File("d/canary", "inside");
            }

            registry.AddImageOf($"{i}", tar.File("id", $"{i}").Build());
        }

        PullResult[] results = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => PullAsync($"{registry.Host}/app:{i}")));

        Assert.Equal("canary", File.ReadAllText(canary));
        Assert.Equal(["canary", "images", "layers"], Directory.GetFileSystemEntries(_directory.Path).Select(Path.GetFileName).Order());
        Assert.All(results, result => Assert.Equal("inside", File.ReadAllText($"{_store.Layers.DirectoryOf(result.Image.ChainIds[0])}/d/canary")));
        Assert.Empty(Leftovers());
    }

    private static int SizeOf(FakeImage image, int layer)
    {
        string after = image.Json[(image.Json.IndexOf($"{image.Layers[layer]}\",\"size\":", StringComparison.Ordinal) + image.Layers[layer].ToString().Length + 9)..];
        return int.Parse(after[..after.IndexOf('}', StringComparison.Ordinal)], null);
    }

    private Task<PullResult> PullAsync(string reference, RegistrySettings? settings = null, ConnectStream? connect = null) =>
        Puller(settings ?? FakeRegistry.Settings, connect).PullAsync(
            ImageReference.Parse(reference), null, new PlainTransferProgress(_lines), TestContext.Current.CancellationToken);

    private ImagePuller Puller(RegistrySettings settings, ConnectStream? connect) => new(_store, settings)
    {
        Connect = connect,
        Retry = new RetryPolicy(3, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    };

    private string PartOf(FakeImage image) => $"{_directory.Path}/images/staging/part-{image.Layers[0].Hex}";

    private string[] Leftovers() =>
        [.. Directory.EnumerateFileSystemEntries(_directory.Path, "new-*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })];

    /// <summary>Notes the phases, and acts at one of them.</summary>
    private sealed class OnPhase(TransferPhase phase, Action act) : ITransferProgress
    {
        public List<TransferPhase> Seen { get; } = [];

        public void Message(string line)
        {
        }

        public void Layer(LayerProgress progress)
        {
            Seen.Add(progress.Phase);
            if (progress.Phase == phase)
            {
                act();
            }
        }
    }
}
