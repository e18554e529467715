using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>The content of a registry in memory and the ways to reach it: one image <c>app:1</c> unless a test adds more.
/// <see cref="Intercept"/> answers before the content does.</summary>
internal sealed class FakeRegistry : IDisposable
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

    private readonly Dictionary<string, (byte[] Content, string? Type)> _manifests = [];
    private readonly Dictionary<string, byte[]> _blobs = [];

    public FakeRegistry(X509Certificate2? certificate = null) => Server = new FakeServer(Answer, certificate);

    public FakeServer Server { get; }

    /// <summary>Answers instead of the content, or null to let the content answer.</summary>
    public Func<FakeRequest, FakeResponse?> Intercept { get; set; } = _ => null;

    public string Host => Server.Authority;

    public IEnumerable<FakeRequest> Requests => Server.Requests;

    public void Dispose() => Server.Dispose();

    /// <summary>Adds a manifest under its digest and a tag.</summary>
    public Digest AddManifest(string json, string? contentType = OciManifest, string? tag = null)
    {
        byte[] content = Encoding.UTF8.GetBytes(json);
        Digest digest = Digest.Of(content);
        _manifests[digest.ToString()] = (content, contentType);
        if (tag is not null)
        {
            _manifests[tag] = (content, contentType);
        }

        return digest;
    }

    public Digest AddBlob(byte[] content)
    {
        Digest digest = Digest.Of(content);
        _blobs[digest.ToString()] = content;
        return digest;
    }

    /// <summary>Replaces what a digest answers with: a lying registry.</summary>
    public void Corrupt(Digest digest, byte[] content)
    {
        if (_blobs.ContainsKey(digest.ToString()))
        {
            _blobs[digest.ToString()] = content;
        }

        if (_manifests.TryGetValue(digest.ToString(), out (byte[] Content, string? Type) manifest))
        {
            _manifests[digest.ToString()] = (content, manifest.Type);
        }
    }

    public void Remove(Digest digest) => _blobs.Remove(digest.ToString());

    /// <summary>An image of one file a layer; its manifest's digest.</summary>
    public FakeImage AddImage(string? tag, string architecture = "amd64", params string[] layers) =>
        AddImage(tag, architecture, [.. (layers.Length == 0 ? ["hello"] : layers).Select(Layer)]);

    /// <summary>An image of one layer, whatever its tar holds.</summary>
    public FakeImage AddImageOf(string tag, byte[] tar) => AddImage(tag, "amd64", [(StoreFixture.Gzip(tar), Digest.Of(tar))]);

    private FakeImage AddImage(string? tag, string architecture, IReadOnlyList<(byte[] Gzip, Digest DiffId)> layers)
    {
        List<byte[]> blobs = [];
        List<string> diffIds = [];
        foreach ((byte[] gzip, Digest diffId) in layers)
        {
            AddBlob(gzip);
            blobs.Add(gzip);
            diffIds.Add($"\"{diffId}\"");
        }

        string config = $$"""
            {"architecture":"{{architecture}}","os":"linux","config":{"Cmd":["/hello"]},"rootfs":{"type":"layers","diff_ids":[{{string.Join(',', diffIds)}}] } }
            """;
        byte[] configBytes = Encoding.UTF8.GetBytes(config);
        Digest configDigest = AddBlob(configBytes);
        string descriptors = string.Join(',', blobs.Select(b =>
            $$"""{"mediaType":"{{OciLayer}}","digest":"{{Digest.Of(b)}}","size":{{b.Length}}}"""));
        string manifest = $$"""
            {"schemaVersion":2,"mediaType":"{{OciManifest}}","config":{"mediaType":"{{OciConfig}}","digest":"{{configDigest}}","size":{{configBytes.Length}} },"layers":[{{descriptors}}]}
            """;
        Digest digest = AddManifest(manifest, OciManifest, tag);
        return new FakeImage(digest, manifest, configDigest, [.. blobs.Select(b => Digest.Of(b))]);
    }

    /// <summary>A gzip layer with one file <c>/hello-TEXT</c>, and its diffID.</summary>
    public static (byte[] Gzip, Digest DiffId) Layer(string text)
    {
        using MemoryStream tar = new();
        using (TarWriter writer = new(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            // ustar: .NET 9 puts the present time into PAX entries, and one text must always give one digest.
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"hello-{text[..Math.Min(text.Length, 20)]}")
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }

        using MemoryStream gzip = new();
        using (GZipStream compress = new(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            compress.Write(tar.ToArray());
        }

        return (gzip.ToArray(), Digest.Of(tar.ToArray()));
    }

    /// <summary>Settings that read nothing of this machine.</summary>
    public static RegistrySettings Settings { get; } = new() { CertificateDirectories = [], DockerConfigDirectory = null };

    /// <summary>A connection that gives loopback servers other names: <c>("registry.example", 443)</c> to a port.</summary>
    public static ConnectStream Names(params (string Host, int Port)[] names) => async (endPoint, cancel) =>
    {
        int port = names.FirstOrDefault(n => n.Host == endPoint.Host).Port;
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Port 0: no such name in this test, so nobody listens.
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port == 0 ? 1 : port), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    };

    /// <summary>A self-signed certificate for the names, and its PEM.</summary>
    public static X509Certificate2 Certificate(params string[] names)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder alternatives = new();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private FakeResponse Answer(FakeRequest request)
    {
        if (Intercept(request) is FakeResponse response)
        {
            return response;
        }

        string[] parts = request.Path.Split('/');
        string name = parts[^1];
        switch (parts[^2])
        {
            case "manifests" when _manifests.TryGetValue(name, out (byte[] Content, string? Type) manifest):
                return new FakeResponse(200, manifest.Content, manifest.Type)
                    .With("Docker-Content-Digest", name.StartsWith("sha256:", StringComparison.Ordinal) ? name : Digest.Of(manifest.Content).ToString());
            case "manifests":
                return FakeResponse.Text(404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}""");
            case "blobs" when _blobs.TryGetValue(name, out byte[]? blob):
                return Blob(blob, request);
            default:
                return FakeResponse.Text(404, """{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}""");
        }
    }

    /// <summary>A blob, or its rest where the request has a Range.</summary>
    public static FakeResponse Blob(byte[] blob, FakeRequest request)
    {
        if (request.Headers.TryGetValue("Range", out string? range))
        {
            int from = int.Parse(range["bytes=".Length..^1], null);
            return new FakeResponse(206, blob[from..], "application/octet-stream")
                .With("Content-Range", $"bytes {from}-{blob.Length - 1}/{blob.Length}");
        }

        return new FakeResponse(200, blob, "application/octet-stream");
    }
}

/// <summary>Digests of an image that was put into a <see cref="FakeRegistry"/>.</summary>
internal sealed record FakeImage(Digest Manifest, string Json, Digest Config, IReadOnlyList<Digest> Layers);
