using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>Uploads where a registry, or a proxy before it, limits the length of a request, and where they stall.</summary>
public sealed class ChunkedPushTests : IDisposable
{
    private const int Size = 900_000;
    private readonly FakePushTarget _target = new();
    private readonly byte[] _content = new byte[Size];

    public ChunkedPushTests() => new Random(1).NextBytes(_content);

    public void Dispose() => _target.Dispose();

    [Fact]
    public async Task Upload_TooLargeForOneRequest_GoesInPieces()
    {
        _target.MaximumBody = 300_000;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        await UploadAsync(fixture);

        Assert.True(_target.Has("app", Digest.Of(_content)));
        Assert.Equal(["0-262143", "262144-524287", "524288-786431", "786432-899999"], Pieces());

        // What was learnt holds for the next layer: no request is refused again.
        _content[0] ^= 1;
        await UploadAsync(fixture);
        Assert.Equal(8, Pieces().Length);
        Assert.Single(_target.Server.Requests, request => request.Content.Length > 300_000);
    }

    [Fact]
    public async Task Upload_SmallBlobAfterARefusal_IsOneRequest()
    {
        _target.MaximumBody = 300_000;
        using ClientFixture fixture = new($"{_target.Host}/app:1");
        await UploadAsync(fixture);
        int pieces = Pieces().Length;

        await UploadAsync(fixture, [1, 2, 3]);

        Assert.Equal(pieces, Pieces().Length);
        Assert.True(_target.Has("app", Digest.Of([1, 2, 3])));
    }

    [Fact]
    public async Task Upload_RegistryWantsLargerPieces_GetsThem()
    {
        _target.MaximumBody = 500_000;
        _target.MinimumChunk = 400_000;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        await UploadAsync(fixture);

        Assert.Equal(["0-399999", "400000-799999", "800000-899999"], Pieces());
    }

    [Theory]
    [InlineData(300_000, 400_000)]
    [InlineData(1000, 0)]
    public async Task Upload_SmallestPieceIsTooLarge_IsRefusedInWords(int limit, int minimum)
    {
        _target.MaximumBody = limit;
        _target.MinimumChunk = minimum;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => UploadAsync(fixture));

        Assert.Equal((413, "blob: too large"), (error.Status, error.Message));
        Assert.InRange(_target.Server.Requests.Count, 3, 20);
    }

    [Fact]
    public async Task Upload_PieceCutAndTheNextToo_GoesOnAndDoesNotGiveUp()
    {
        // As many cuts as attempts, but each after something was kept.
        _target.MaximumBody = 300_000;
        int cuts = 0;
        _target.Server.CutBody = request => request.Method == "PATCH" && cuts++ % 2 == 0 ? 100_000 : null;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        await UploadAsync(fixture);

        Assert.InRange(cuts, 6, 20);
        Assert.True(_target.Has("app", Digest.Of(_content)));
    }

    [Fact]
    public async Task Upload_RegistryKeepsLessOfAPiece_GoesOnFromThere()
    {
        _target.MaximumBody = 300_000;
        _target.KeepsOfPiece = 200_000;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        await UploadAsync(fixture);

        Assert.Equal(["0-262143", "200000-462143", "400000-662143", "600000-862143", "800000-899999"], Pieces());
        Assert.True(_target.Has("app", Digest.Of(_content)));
    }

    [Fact]
    public async Task Upload_RegistryHasMoreThanItWasSent_IsNotBelieved()
    {
        _target.MaximumBody = 300_000;
        _target.Intercept = request => request.Method == "PATCH" ? new FakeResponse(202, []).With("Location", request.Path).With("Range", "0-99999999") : null;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => UploadAsync(fixture));

        Assert.Equal($"blob: {_target.Host} was sent bytes 0 to 262143 and says that it has 100000000", error.Message);
    }

    [Fact]
    public async Task Upload_Stalls_SaysWhatAndWhereTheLimitIs()
    {
        using ManualResetEventSlim forever = new();
        _target.Intercept = request =>
        {
            _ = request.Method == "PUT" && forever.Wait(5000);
            return null;
        };
        using ClientFixture fixture = new($"{_target.Host}/app:1", silence: TimeSpan.FromMilliseconds(100));

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => UploadAsync(fixture));

        forever.Set();
        Assert.StartsWith("blob: 127.0.0.1:", error.Message, StringComparison.Ordinal);
        Assert.Contains("no answer for 0.1 s (a slow network may need more: HULL_REGISTRY_TIMEOUT, or registry-timeout in /etc/hull/config.json)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(405, true)]
    [InlineData(403, false)]
    public async Task Upload_EndOfPiecesRefused_GoesOnceMoreInOne(int status, bool again)
    {
        _target.Intercept = request => request.Method == "PUT" && request.Content.Length < Size ? FakeResponse.Text(status, "no pieces here") : null;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        Task upload = UploadAsync(fixture, _content, await FirstPieceAsync(fixture));

        if (again)
        {
            await upload;
            Assert.True(_target.Has("app", Digest.Of(_content)));
        }
        else
        {
            await Assert.ThrowsAsync<RegistryException>(() => upload);
        }

        Assert.Equal(again ? 2 : 1, _target.Requests("PUT").Count());
    }

    [Fact]
    public async Task Upload_RefusedInOneToo_IsRefused()
    {
        _target.Intercept = request => request.Method == "PUT" ? FakeResponse.Text(400, "nothing at all here") : null;
        using ClientFixture fixture = new($"{_target.Host}/app:1");

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            async () => await UploadAsync(fixture, _content, await FirstPieceAsync(fixture)));

        Assert.Equal(400, error.Status);
        Assert.Equal(2, _target.Requests("PUT").Count());
    }

    [Theory]
    [InlineData(long.MaxValue, 64 << 20)]
    [InlineData(64 << 20, 16 << 20)]
    [InlineData(300_000, 256 << 10)]
    public void Refuse_Bytes_TheNextSmallerSizeIsTried(long refused, long expected)
    {
        UploadLimit limit = new();

        Assert.True(limit.Refuse(refused, 0));
        Assert.Equal(expected, limit.Bytes);
    }

    [Fact]
    public void Refuse_LessIsKnownAlready_StaysLess()
    {
        UploadLimit limit = new();
        limit.Refuse(2 << 20, 0);

        Assert.True(limit.Refuse(100 << 20, 0));
        Assert.Equal(1 << 20, limit.Bytes);
        Assert.False(limit.Refuse(256 << 10, 0));
    }

    private string[] Pieces() => [.. _target.Requests("PATCH").Where(request => request.Content.Length <= _target.MaximumBody).Select(request => request.Headers["Content-Range"])];

    private Task UploadAsync(ClientFixture fixture) => UploadAsync(fixture, _content);

    /// <summary>An upload of the content that has its first half.</summary>
    private async Task<OpenUpload> FirstPieceAsync(ClientFixture fixture)
    {
        OpenUpload open = (await fixture.Client.BeginUploadAsync(Digest.Of(_content), null, TestContext.Current.CancellationToken))!;
        (Uri location, long received) = await fixture.Client.ContinueUploadAsync(
            open.Location, 0, Size / 2, () => new UploadContent(SourceOf(_content), 0, Size / 2, _ => { }), "blob", TestContext.Current.CancellationToken);
        return open with { Location = location, Received = received };
    }

    private static Task UploadAsync(ClientFixture fixture, byte[] content, OpenUpload? open = null) =>
        new BlobUpload(fixture.Client, SourceOf(content), "blob", _ => { }, _ => { }).RunAsync(open, TestContext.Current.CancellationToken);

    private static UploadSource SourceOf(byte[] content) =>
        new(Digest.Of(content), content.Length, offset => new MemoryStream(content, (int)offset, content.Length - (int)offset));
}
