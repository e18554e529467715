using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hull.Kernel.Tests.Harness;

/// <summary>Debian's docker-registry on a loopback port, with its content in a directory that several servers may share:
/// one to push to, one that asks for a login.</summary>
internal sealed class RegistryServer : IDisposable
{
    /// <summary>bcrypt of <see cref="Password"/>, the only form that docker-registry takes.</summary>
    private const string PasswordHash = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    private readonly HullProcess _process;
    private readonly HttpClient _client = new();

    /// <param name="content">Where blobs are kept.</param>
    /// <param name="scratch">A directory for the server's own files.</param>
    /// <param name="settings">Further top-level sections of its configuration.</param>
    /// <param name="tls">Serve TLS with this certificate for 127.0.0.1.</param>
    /// <param name="readOnly">Refuse every push, as in maintenance.</param>
    public RegistryServer(string content, string scratch, string settings = "", X509Certificate2? tls = null, bool readOnly = false)
    {
        Content = content;
        Port = FreePort();
        string name = Path.Combine(scratch, $"registry-{Port}");
        string certificate = "";
        if (tls is not null)
        {
            File.WriteAllText(name + ".crt", tls.ExportCertificatePem());
            using RSA key = tls.GetRSAPrivateKey()!;
            File.WriteAllText(name + ".key", key.ExportPkcs8PrivateKeyPem());
            certificate = $", tls: {{certificate: {name}.crt, key: {name}.key}} ";
        }

        File.WriteAllText(name + ".yml", $$"""
            version: 0.1
            log:
              level: error
              accesslog: {disabled: true}
            storage:
              filesystem: {rootdirectory: "{{content}}"}
              delete: {enabled: true}
              maintenance: {readonly: {enabled: {{(readOnly ? "true" : "false")}} } }
            http: {addr: "127.0.0.1:{{Port}}"{{certificate}} }
            {{settings}}
            """);
        _process = new HullProcess(
            Machine.FindProgram("docker-registry")!, ["serve", name + ".yml"], new Dictionary<string, string?> { ["OTEL_TRACES_EXPORTER"] = "none" });
        Wait.Until(IsListening, 20, () => $"docker-registry does not listen\n{_process.Stdout}\n{_process.Stderr}");
    }

    public const string User = "alice";

    public const string Password = "secret";

    public string Content { get; }

    public int Port { get; }

    public string Host => $"127.0.0.1:{Port}";

    /// <summary>The configuration section that asks for <see cref="User"/> and <see cref="Password"/>.</summary>
    public static string BasicAuthentication(string scratch)
    {
        string file = Path.Combine(scratch, "htpasswd");
        File.WriteAllText(file, $"{User}:{PasswordHash}\n");
        return $"auth: {{htpasswd: {{realm: test, path: {file}}}}}";
    }

    /// <summary>Pushes a fixture image, with skopeo.</summary>
    public void Push(HullStore store, string fixture, string name) =>
        store.Shell($"skopeo copy -q --dest-tls-verify=false docker-archive:{Repository.Fixture(fixture)} docker://{Host}/{name}", 120).Ok();

    /// <summary>Uploads a blob and returns its descriptor.</summary>
    public string PushBlob(string repository, byte[] content, string mediaType)
    {
        string digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        using HttpResponseMessage begun = Send(HttpMethod.Post, $"http://{Host}/v2/{repository}/blobs/uploads/", null, null);
        UriBuilder location = new(begun.Headers.Location!);
        location.Query += $"&digest={digest}";
        using HttpResponseMessage done = Send(HttpMethod.Put, location.Uri.AbsoluteUri, content, "application/octet-stream");
        return $$"""{"mediaType":"{{mediaType}}","digest":"{{digest}}","size":{{content.Length}}}""";
    }

    /// <summary>Uploads a manifest or index under a tag and returns its descriptor without the last brace.</summary>
    public string PushManifest(string repository, string tag, string json, string mediaType)
    {
        byte[] content = Encoding.UTF8.GetBytes(json);
        using HttpResponseMessage done = Send(HttpMethod.Put, $"http://{Host}/v2/{repository}/manifests/{tag}", content, mediaType);
        return $$"""{"mediaType":"{{mediaType}}","digest":"sha256:{{Convert.ToHexStringLower(SHA256.HashData(content))}}","size":{{content.Length}}""";
    }

    /// <summary>Pushes an image of one gzip layer; its descriptor without the last brace.</summary>
    public string PushImage(string repository, string tag, byte[] gzipLayer, string diffId, string architecture = "amd64")
    {
        string layer = PushBlob(repository, gzipLayer, "application/vnd.oci.image.layer.v1.tar+gzip");
        string config = PushBlob(
            repository,
            Encoding.UTF8.GetBytes($$"""{"architecture":"{{architecture}}","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["{{diffId}}"] } }"""),
            "application/vnd.oci.image.config.v1+json");
        const string Type = "application/vnd.oci.image.manifest.v1+json";
        return PushManifest(repository, tag, $$"""{"schemaVersion":2,"mediaType":"{{Type}}","config":{{config}},"layers":[{{layer}}]}""", Type);
    }

    /// <summary>The digest that a tag stands for; of a registry that asks for no login.</summary>
    public string DigestOf(string repository, string tag)
    {
        using HttpRequestMessage request = new(HttpMethod.Head, $"http://{Host}/v2/{repository}/manifests/{tag}");
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json");
        using HttpResponseMessage response = _client.Send(request);
        return response.EnsureSuccessStatusCode().Headers.GetValues("Docker-Content-Digest").Single();
    }

    /// <summary>The file in which the registry keeps a blob.</summary>
    public string BlobFile(string digest)
    {
        string hex = digest["sha256:".Length..];
        return Path.Combine(Content, "docker/registry/v2/blobs/sha256", hex[..2], hex, "data");
    }

    /// <summary>A gzip layer with one file, and its diffID.</summary>
    public static (byte[] Gzip, string DiffId) Layer(string name, byte[] content)
    {
        using MemoryStream tar = new();
        using (TarWriter writer = new(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        using MemoryStream gzip = new();
        using (GZipStream compress = new(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            tar.Position = 0;
            tar.CopyTo(compress);
        }

        return (gzip.ToArray(), "sha256:" + Convert.ToHexStringLower(SHA256.HashData(tar.ToArray())));
    }

    /// <summary>A port nobody listens on now.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A self-signed RSA certificate for 127.0.0.1.</summary>
    public static X509Certificate2 Certificate()
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=registry under test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    public void Dispose()
    {
        _client.Dispose();
        _process.Dispose();
    }

    private bool IsListening()
    {
        using TcpClient probe = new();
        try
        {
            probe.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            // Not yet.
            return false;
        }
    }

    private HttpResponseMessage Send(HttpMethod method, string url, byte[]? content, string? mediaType)
    {
        using HttpRequestMessage request = new(method, url);
        if (content is not null)
        {
            request.Content = new ByteArrayContent(content);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(mediaType!);
        }

        HttpResponseMessage response = _client.Send(request);
        return response.EnsureSuccessStatusCode();
    }
}
