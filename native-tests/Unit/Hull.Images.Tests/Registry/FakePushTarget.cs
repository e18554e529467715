using System.Web;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>A registry in memory that takes images: repositories with their own blobs, uploads that go on after a cut, mounts.
/// <see cref="Intercept"/> answers before it does.</summary>
internal sealed class FakePushTarget : IDisposable
{
    private readonly Dictionary<int, byte[]> _uploads = [];
    private readonly HashSet<(string Repository, string Digest)> _blobs = [];
    private readonly Lock _gate = new();
    private int _count;

    public FakePushTarget() => Server = new FakeServer(Answer);

    public FakeServer Server { get; }

    public string Host => Server.Authority;

    public Func<FakeRequest, FakeResponse?> Intercept { get; set; } = _ => null;

    /// <summary>Whether an upload outlives its connection.</summary>
    public bool KeepsUploads { get; set; } = true;

    /// <summary>The longest body that is let through; longer ones are answered as nginx does.</summary>
    public int MaximumBody { get; set; } = int.MaxValue;

    /// <summary>OCI-Chunk-Min-Length; 0 for none.</summary>
    public int MinimumChunk { get; set; }

    /// <summary>How much of each PATCH is kept.</summary>
    public int KeepsOfPiece { get; set; } = int.MaxValue;

    /// <summary>What a Location begins with: empty for relative ones.</summary>
    public string LocationBase { get; set; } = "";

    public Dictionary<string, (byte[] Content, string Type)> Manifests { get; } = [];

    public void Have(string repository, Digest digest) => _blobs.Add((repository, digest.ToString()));

    public bool Has(string repository, Digest digest) => _blobs.Contains((repository, digest.ToString()));

    /// <summary>Requests of a method, such as <c>POST</c>.</summary>
    public IEnumerable<FakeRequest> Requests(string method) => Server.Requests.Where(request => request.Method == method);

    public void Dispose() => Server.Dispose();

    private FakeResponse Answer(FakeRequest request)
    {
        lock (_gate)
        {
            return Intercept(request)
                ?? (request.Content.Length > MaximumBody ? FakeResponse.Text(413, "<html><title>413 Request Entity Too Large</title></html>", "text/html") : Serve(request));
        }
    }

    private FakeResponse Serve(FakeRequest request)
    {
        string[] parts = request.Path.Trim('/').Split('/');
        if (parts[0] == "upload")
        {
            return Upload(request, int.Parse(parts[^1], null), parts[1].Replace('+', '/'));
        }

        string repository = string.Join('/', parts[1..Math.Max(1, parts.Length - 2)]);
        switch (request.Method, parts.Length > 2 ? parts[^2] : "")
        {
            case ("GET", _):
                return new FakeResponse(200, []);
            case ("HEAD", "blobs"):
                return new FakeResponse(_blobs.Contains((repository, parts[^1])) ? 200 : 404, []);
            case ("POST", "blobs"):
                return Begin(request, repository);
            case ("PUT", "manifests"):
                Manifests[$"{repository}:{parts[^1]}"] = (request.Content, request.Headers["Content-Type"]);
                return new FakeResponse(201, []).With("Docker-Content-Digest", Digest.Of(request.Content).ToString());
            default:
                return new FakeResponse(404, []);
        }
    }

    private FakeResponse Begin(FakeRequest request, string repository)
    {
        System.Collections.Specialized.NameValueCollection query = HttpUtility.ParseQueryString(request.Query);
        if (query["from"] is { } from && _blobs.Contains((from, query["mount"]!)))
        {
            _blobs.Add((repository, query["mount"]!));
            return new FakeResponse(201, []);
        }

        _uploads[++_count] = [];
        FakeResponse begun = Open(202, repository, _count);
        return MinimumChunk == 0 ? begun : begun.With("OCI-Chunk-Min-Length", $"{MinimumChunk}");
    }

    private FakeResponse Open(int status, string repository, int id) =>
        new FakeResponse(status, [])
            .With("Location", $"{LocationBase}/upload/{repository.Replace('/', '+')}/{id}?state={_uploads[id].Length}")
            .With("Range", $"0-{Math.Max(0, _uploads[id].Length - 1)}");

    private FakeResponse Upload(FakeRequest request, int id, string repository)
    {
        if (!_uploads.TryGetValue(id, out byte[]? have))
        {
            return FakeResponse.Text(404, """{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}""");
        }

        if (request.Headers.TryGetValue("Content-Range", out string? range) && !range.StartsWith($"{have.Length}-", StringComparison.Ordinal))
        {
            return Open(416, repository, id);
        }

        have = _uploads[id] = [.. have, .. request.Content.Take(request.Method == "PATCH" ? KeepsOfPiece : int.MaxValue)];
        if (request.IsCut)
        {
            _ = KeepsUploads || _uploads.Remove(id);
            return new FakeResponse(500, []);
        }

        switch (request.Method)
        {
            case "GET":
                return Open(204, repository, id);
            case "PATCH":
                return Open(202, repository, id);
            default:
                string digest = HttpUtility.ParseQueryString(request.Query)["digest"]!;
                _uploads.Remove(id);
                if (Digest.Of(have).ToString() != digest)
                {
                    return FakeResponse.Text(400, """{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}""");
                }

                _blobs.Add((repository, digest));
                return new FakeResponse(201, []);
        }
    }
}
