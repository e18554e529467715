using System.Text;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>Whole pushes from a store in a temporary directory to a fake registry.</summary>
public sealed class PushTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakePushTarget _target = new();
    private readonly ImageStore _store;
    private readonly StringWriter _output = new() { NewLine = "\n" };

    public PushTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "unpacking keeps owners, which takes root");
        _store = ImageStore.Open(_directory.Path, new ImageStoreOptions { Sync = false });
    }

    public void Dispose()
    {
        _target.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Push_PulledImage_GoesOutByteForByteWithDockersLines()
    {
        using FakeRegistry source = new();
        FakeImage image = source.AddImage("1", "amd64", "one", "two");
        await PullAsync($"{source.Host}/app:1");
        Image stored = Tag($"{source.Host}/app:1", $"{_target.Host}/team/app:2");

        PushResult result = await PushAsync($"{_target.Host}/team/app:2");

        (byte[] content, string type) = _target.Manifests["team/app:2"];
        Assert.Equal((image.Json, FakeRegistry.OciManifest), (Encoding.UTF8.GetString(content), type));
        Assert.Equal((image.Manifest, content.Length), (result.Digest, result.Size));
        Assert.All([.. image.Layers, image.Config], digest => Assert.True(_target.Has("team/app", digest)));
        string[] lines = _output.ToString().TrimEnd().Split('\n');
        Assert.Equal($"The push refers to repository [{_target.Host}/team/app]", lines[0]);
        Assert.Equal(stored.Layers.Select(layer => $"{layer.DiffId.Short}: Preparing"), lines[1..3]);
        Assert.Equal(stored.Layers.Select(layer => $"{layer.DiffId.Short}: Pushed").Order(), lines[3..5].Order());
        Assert.Equal($"2: digest: {image.Manifest} size: {content.Length}", lines[5]);
        Assert.Contains($"{_target.Host}/team/app@{image.Manifest}", _store.Find($"{_target.Host}/team/app:2").Required().RepoDigests);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_Again_SendsNothingButTheManifest()
    {
        string name = Import("app:1");
        await PushAsync(name);
        int posts = _target.Requests("POST").Count();

        await PushAsync(name);

        Assert.Equal(posts, _target.Requests("POST").Count());
        Assert.Contains(": Layer already exists\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_PlainTar_IsCompressedToTheSameBytesEachTime()
    {
        string name = Import("app:1");
        Image image = _store.Find(name).Required();

        PushResult first = await PushAsync(name);
        ImageManifest manifest = ImageDocuments.ParseManifest(_target.Manifests["app:1"].Content, "manifest");
        await PushAsync(name);
        Assert.Single(_target.Requests("PATCH").Concat(_target.Requests("PUT")), request => request.Query.Contains(manifest.Layers[0].Digest.Hex, StringComparison.Ordinal));

        // Neither the store's memory nor the registry's content: made anew.
        File.Delete(Directory.EnumerateFiles($"{_directory.Path}/images/origins").Single());
        using FakePushTarget other = new();
        _store.Tag(image, ImageReference.Parse($"{other.Host}/app:1"));
        PushResult second = await PushAsync($"{other.Host}/app:1");

        Assert.Equal(MediaTypes.OciLayerGzip, Assert.Single(manifest.Layers).MediaType);
        Assert.NotEqual(image.ManifestDigest, first.Digest);
        Assert.Equal(first.Digest, second.Digest);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_LargePlainTar_IsSentWhileItIsCompressed_ToTheSameBytes()
    {
        string name = Import("app:1", 40 << 20);

        PushResult first = await PushAsync(name);

        // The first piece goes before anybody knows the digest that the last request names.
        Assert.InRange(_target.Requests("PATCH").Count(), 1, 3);
        Assert.Empty(Assert.Single(LayerUploads(name)).Content);
        using FakePushTarget pieces = new() { MaximumBody = 5 << 20 };
        File.Delete(Directory.EnumerateFiles($"{_directory.Path}/images/origins").Single());
        _store.Tag(_store.Find(name).Required(), ImageReference.Parse($"{pieces.Host}/app:1"));
        Assert.Equal(first.Digest, (await PushAsync($"{pieces.Host}/app:1")).Digest);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_LargePlainTarThatIsDamaged_IsNeverFinished()
    {
        string name = Import("app:1", 40 << 20);
        string blob = _store.Blobs.PathOf(_store.Find(name).Required().Layers[0].Blob.Digest);
        using (FileStream file = File.OpenWrite(blob))
        {
            file.Position = 39 << 20;
            file.WriteByte(7);
            file.WriteByte(8);
        }

        ImageException error = await Assert.ThrowsAsync<ImageException>(() => PushAsync(name));

        Assert.Equal(ImageError.Corrupt, error.Kind);
        Assert.Empty(LayerUploads(name));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_NeighbourHasTheLayer_IsMounted()
    {
        string name = Import("app:1");
        PushResult before = await PushAsync(name);
        Tag(name, $"{_target.Host}/other/app:1");
        int puts = Uploads();
        _output.GetStringBuilder().Clear();

        PushResult result = await PushAsync($"{_target.Host}/other/app:1");

        Assert.Equal(before.Digest, result.Digest);
        Assert.Contains(": Mounted from app\n", _output.ToString(), StringComparison.Ordinal);
        // The configuration alone.
        Assert.Equal(puts + 1, Uploads());
    }

    [Fact]
    public async Task Push_NeighbourHasItNoLonger_UploadsWhereTheMountFailed()
    {
        string name = Import("app:1");
        Image image = Tag(name, $"{_target.Host}/app:2");
        _store.Origins.Add($"{_target.Host}/gone", [new LayerBlob(image.Layers[0].DiffId, image.Layers[0].Blob with { MediaType = MediaTypes.OciLayerGzip })]);

        await PushAsync($"{_target.Host}/app:2");

        Assert.Single(_target.Requests("POST"), request => request.Query.Contains("from=gone", StringComparison.Ordinal));
        Assert.Equal(2, _target.Requests("POST").Count());
        Assert.Contains("app:2", _target.Manifests.Keys);
    }

    [Fact]
    public async Task Push_ConnectionBreaks_GoesOnWhereItEnded()
    {
        string name = Import("app:1", 300_000);
        int cuts = 0;
        _target.Server.CutBody = request => request.Method is "PUT" or "PATCH" && Length(request) > 10_000 && cuts++ < 2 ? 50_000 : null;

        await PushAsync(name);

        Descriptor layer = ImageDocuments.ParseManifest(_target.Manifests["app:1"].Content, "manifest").Layers[0];
        Assert.True(_target.Has("app", layer.Digest));
        Assert.Equal(
            [$"50000-{layer.Size - 1}", $"100000-{layer.Size - 1}"],
            _target.Requests("PATCH").Select(request => request.Headers["Content-Range"]));
        Assert.Contains(": Retrying in 1 second\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_RegistryDropsBrokenUploads_StartsOver()
    {
        string name = Import("app:1", 300_000);
        int cuts = 0;
        _target.KeepsUploads = false;
        _target.Server.CutBody = request => request.Method == "PUT" && Length(request) > 10_000 && cuts++ < 2 ? 50_000 : null;

        await PushAsync(name);

        Assert.Empty(_target.Requests("PATCH"));
        Assert.Contains("app:1", _target.Manifests.Keys);
    }

    [Fact]
    public async Task Push_AlwaysCut_GivesUpInWords()
    {
        string name = Import("app:1", 300_000);
        _target.KeepsUploads = false;
        _target.Server.CutBody = request => request.Method == "PUT" ? 100 : null;

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PushAsync(name));

        Assert.Equal(RegistryError.Unreachable, error.Kind);
        Assert.StartsWith($"push {name}: ", error.Message, StringComparison.Ordinal);
        Assert.Empty(_target.Manifests);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_TokenExpiresInMidUpload_IsBoughtAgainForPushing()
    {
        string name = Import("app:1");
        int token = 0;
        bool expired = false;
        _target.Intercept = request =>
        {
            if (request.Path == "/token")
            {
                return FakeResponse.Text(200, $$"""{"token":"t{{++token}}","expires_in":3600}""");
            }

            if (request.Path.StartsWith("/upload", StringComparison.Ordinal) && !expired)
            {
                expired = true;
                return Challenge();
            }

            return request.Authorization == $"Bearer t{token}" && token > 0 ? null : Challenge();
        };

        await PushAsync(name);

        Assert.Equal(2, token);
        Assert.All(
            _target.Server.Requests.Where(request => request.Path == "/token"),
            request => Assert.Contains("scope=repository%3Aapp%3Apull%2Cpush", request.Query, StringComparison.Ordinal));
        Assert.Contains("app:1", _target.Manifests.Keys);

        FakeResponse Challenge() => new FakeResponse(401, []).With("WWW-Authenticate", $"Bearer realm=\"http://{_target.Host}/token\",service=\"x\"");
    }

    [Fact]
    public async Task Push_LocationOnAnotherHost_GetsNoCredentials()
    {
        string name = Import("app:1");
        using TemporaryDirectory login = new();
        login.Write("config.json", $$"""{"auths":{"{{_target.Host}}":{"auth":"{{Convert.ToBase64String("alice:secret"u8)}}"} } }""");
        _target.Intercept = request => request.Authorization is null && !request.Path.StartsWith("/upload", StringComparison.Ordinal)
            ? new FakeResponse(401, []).With("WWW-Authenticate", "Basic realm=\"x\"")
            : null;

        // The same server by another name is another origin.
        _target.LocationBase = $"http://localhost:{_target.Server.Port}";
        await PushAsync(name, FakeRegistry.Settings with { DockerConfigDirectory = login.Path });

        FakeRequest[] uploads = [.. _target.Server.Requests.Where(request => request.Path.StartsWith("/upload", StringComparison.Ordinal))];
        Assert.NotEmpty(uploads);
        Assert.All(uploads, request => Assert.Null(request.Authorization));
    }

    [Theory]
    [InlineData(403, "DENIED", "push access denied for HOST/app, repository does not exist or may require authorization: blob ID: denied: said (hull login HOST)")]
    [InlineData(404, "NAME_UNKNOWN", "repository HOST/app not found: blob ID: name unknown: said (this registry wants it made before the first push)")]
    [InlineData(405, "UNSUPPORTED", "push HOST/app:1: HOST is read-only or a mirror: blob ID: unsupported: said")]
    [InlineData(413, "SIZE_INVALID", "push HOST/app:1: blob ID: size invalid: said: more than the registry, a quota of it, or a proxy before it takes, in smaller requests too")]
    [InlineData(400, "DIGEST_INVALID", "push HOST/app:1: blob ID: digest invalid: said (if the stored blob is damaged, remove the image and pull or load it again)")]
    [InlineData(429, "TOOMANYREQUESTS", "push HOST/app:1: blob ID: toomanyrequests: said (HOST limits the rate of requests; try again later or log in for a higher limit)")]
    [InlineData(503, "UNAVAILABLE", "push HOST/app:1: blob ID: unavailable: said")]
    public async Task Push_Refused_SaysWhatItMeans(int status, string code, string expected)
    {
        string name = Import("app:1");
        _target.Intercept = request => request.Method == "POST"
            ? FakeResponse.Text(status, $$"""{"errors":[{"code":"{{code}}","message":"said"}]}""")
            : null;

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PushAsync(name));

        string message = error.Message.Replace(_target.Host, "HOST", StringComparison.Ordinal);
        Assert.Equal(expected, System.Text.RegularExpressions.Regex.Replace(message, "blob [0-9a-f]{12}", "blob ID"));
        Assert.Empty(_target.Manifests);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_RateLimitedForAMoment_WaitsAndGoesOn()
    {
        string name = Import("app:1");
        int limited = 0;
        _target.Intercept = request => request.Method == "PUT" && limited++ == 0
            ? new FakeResponse(429, []).With("Retry-After", "0")
            : null;

        await PushAsync(name);

        Assert.Contains("app:1", _target.Manifests.Keys);
    }

    [Fact]
    public async Task Push_RegistryKeepsOtherBytes_IsNoSuccess()
    {
        string name = Import("app:1");
        _target.Intercept = request => request.Path.Contains("/manifests/", StringComparison.Ordinal)
            ? new FakeResponse(201, []).With("Docker-Content-Digest", Digest.Of("other"u8).ToString())
            : null;

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => PushAsync(name));

        Assert.Equal(RegistryError.Corrupt, error.Kind);
        Assert.Contains("digest mismatch: sent sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_DamagedBlob_IsNotSent()
    {
        string name = Import("app:1");
        Digest blob = _store.Find(name).Required().Layers[0].Blob.Digest;
        File.AppendAllText(_store.Blobs.PathOf(blob), "x");

        ImageException error = await Assert.ThrowsAsync<ImageException>(() => PushAsync(name));

        Assert.Contains($"blob {blob}: the stored file has the digest", error.Message, StringComparison.Ordinal);
        Assert.Empty(LayerUploads(name));
        Assert.Empty(_target.Manifests);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task Push_ForeignLayer_IsNotSent()
    {
        using FakeRegistry source = new();
        (byte[] layer, Digest diffId) = FakeRegistry.Layer("foreign");
        byte[] config = Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{diffId}}"]} }""");
        Digest blob = source.AddBlob(layer);
        source.AddManifest(
            $$"""
            {"schemaVersion":2,"mediaType":"{{FakeRegistry.OciManifest}}","config":{"mediaType":"{{FakeRegistry.OciConfig}}","digest":"{{source.AddBlob(config)}}","size":{{config.Length}} },
            "layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"{{blob}}","size":{{layer.Length}},"urls":["https://vendor.example/layer"]}]}
            """,
            tag: "1");
        await PullAsync($"{source.Host}/app:1");
        Tag($"{source.Host}/app:1", $"{_target.Host}/app:1");

        await PushAsync($"{_target.Host}/app:1");

        Assert.False(_target.Has("app", blob));
        Assert.Contains($"{diffId.Short}: Skipped foreign layer\n", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("vendor.example", Encoding.UTF8.GetString(_target.Manifests["app:1"].Content), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_ManyLayers_AtMostFiveAtOnce()
    {
        using FakeRegistry source = new();
        source.AddImage("1", "amd64", [.. Enumerable.Range(0, 12).Select(i => $"layer{i}")]);
        await PullAsync($"{source.Host}/app:1");
        Tag($"{source.Host}/app:1", $"{_target.Host}/app:1");
        PhaseCount phases = new();

        await Pusher(FakeRegistry.Settings).PushAsync([ImageReference.Parse($"{_target.Host}/app:1")], phases, TestContext.Current.CancellationToken);

        Assert.InRange(phases.Most, 1, 5);
        Assert.Equal(7, phases.Waited);
        Assert.Equal(12, phases.Pushed);
    }

    [Fact]
    public async Task Push_AllTags_SharesTheLayers()
    {
        string name = Import("app:1");
        Tag(name, $"{_target.Host}/app:2");
        IReadOnlyList<ImageReference> tags = _store.TagsOf(ImageReference.Parse($"{_target.Host}/app"));

        await Pusher(FakeRegistry.Settings).PushAsync(tags, new PlainTransferProgress(_output), TestContext.Current.CancellationToken);

        Assert.Equal(["app:1", "app:2"], _target.Manifests.Keys.Order());
        Assert.Equal(2, Uploads());
    }

    [Fact]
    public async Task Push_NotHere_SaysWhichTag()
    {
        ImageException error = await Assert.ThrowsAsync<ImageException>(() => PushAsync($"{_target.Host}/nothing:1"));

        Assert.Equal($"An image does not exist locally with the tag: {_target.Host}/nothing:1 (hull images lists those there are)", error.Message);
        Assert.Empty(_target.Server.Requests);
    }

    private static int Length(FakeRequest request) => request.Headers.TryGetValue("Content-Length", out string? length) ? int.Parse(length, null) : 0;

    /// <summary>Uploads that were finished.</summary>
    private int Uploads() => _target.Requests("PUT").Count(request => request.Path.StartsWith("/upload", StringComparison.Ordinal));

    /// <summary>The last requests of uploads, without the configuration's, which goes beside the layers.</summary>
    private IEnumerable<FakeRequest> LayerUploads(string name) => _target.Requests("PUT").Where(request =>
        request.Path.StartsWith("/upload", StringComparison.Ordinal)
        && !request.Query.Contains(_store.Find(name).Required().Id.Hex, StringComparison.Ordinal));

    /// <summary>An image of one plain tar, named for the target; bytes that gzip cannot make smaller.</summary>
    private string Import(string name, int size = 100)
    {
        byte[] content = new byte[size];
        new Random(1).NextBytes(content);
        string full = $"{_target.Host}/{name}";
        _store.Import(new MemoryStream(new TarBuilder().Entry("file", '0', content).Build()), ImageReference.Parse(full), "", cancel: TestContext.Current.CancellationToken);
        return full;
    }

    private Image Tag(string source, string name)
    {
        _store.Tag(_store.Find(source).Required(), ImageReference.Parse(name));
        return _store.Find(name).Required();
    }

    private async Task<PushResult> PushAsync(string reference, RegistrySettings? settings = null) =>
        Assert.Single(await Pusher(settings ?? FakeRegistry.Settings).PushAsync(
            [ImageReference.Parse(reference)], new PlainTransferProgress(_output), TestContext.Current.CancellationToken));

    private ImagePusher Pusher(RegistrySettings settings) => new(_store, settings)
    {
        Retry = new RetryPolicy(3, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    };

    private Task<PullResult> PullAsync(string reference) =>
        new ImagePuller(_store, FakeRegistry.Settings) { EnvironmentVariable = _ => null }.PullAsync(
            ImageReference.Parse(reference), null, new SilentTransferProgress(), TestContext.Current.CancellationToken);

    private string[] Leftovers() =>
        [.. Directory.EnumerateFileSystemEntries(_directory.Path, "new-*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })];

    /// <summary>Counts layers that are being sent at once.</summary>
    private sealed class PhaseCount : ITransferProgress
    {
        private readonly HashSet<string> _now = [];

        public int Most { get; private set; }

        public int Waited { get; private set; }

        public int Pushed { get; private set; }

        public void Message(string line)
        {
        }

        public void Layer(LayerProgress progress)
        {
            Waited += progress.Phase == TransferPhase.Waiting ? 1 : 0;
            if (progress.Phase == TransferPhase.Pushing)
            {
                _now.Add(progress.Layer);
                Most = Math.Max(Most, _now.Count);
            }
            else if (progress.Phase == TransferPhase.Pushed)
            {
                _now.Remove(progress.Layer);
                Pushed++;
            }
        }
    }
}
