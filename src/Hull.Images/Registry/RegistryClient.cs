using System.Net;
using System.Net.Http.Headers;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>A manifest or index as it came, checked against its digest.</summary>
/// <param name="Digest">The hash of <paramref name="Content"/>.</param>
/// <param name="MediaType">What it is, by Content-Type and by its own word, which agree.</param>
internal sealed record FetchedManifest(Digest Digest, string MediaType, byte[] Content);

/// <summary>One repository at one endpoint: this part pulls, the other pushes (OCI distribution-spec). Thread-safe.</summary>
internal sealed partial class RegistryClient(RegistrySession session, ImageReference reference) : IDisposable
{
    private static readonly string[] ManifestTypes =
        [MediaTypes.OciIndex, MediaTypes.DockerManifestList, MediaTypes.OciManifest, MediaTypes.DockerManifest];

    public RegistryEndpoint Endpoint => session.Endpoint;

    public RetryPolicy Retry => session.Retry;

    /// <summary>How much this registry takes in one request.</summary>
    public UploadLimit UploadLimit { get; } = new();

    public TimeSpan SilenceLimit => session.SilenceLimit;

    /// <summary>The digest a tag stands for now, by a request that registries do not count as a pull; null where the
    /// registry does not say.</summary>
    public async Task<Digest?> ResolveTagAsync(string tag, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendAsync(
            () => ManifestRequest(HttpMethod.Head, tag), cancel).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.OK ? ContentDigest(response) : null;
    }

    /// <summary>The manifest or index behind a tag or digest.</summary>
    /// <exception cref="RegistryException">Not found, refused, unreachable, or not what it says it is.</exception>
    public Task<FetchedManifest> FetchManifestAsync(string tagOrDigest, CancellationToken cancel) =>
        WholeAsync(() => FetchManifestOnceAsync(tagOrDigest, cancel), cancel);

    /// <summary>A whole blob in memory, checked: image configurations.</summary>
    /// <exception cref="RegistryException">Not found, refused, unreachable, of another size or digest, or too long.</exception>
    public Task<byte[]> FetchBlobAsync(Descriptor descriptor, string what, CancellationToken cancel)
    {
        ImageDocuments.CheckSize(descriptor.Size, what);
        return WholeAsync(() => FetchBlobOnceAsync(descriptor, what, cancel), cancel);
    }

    /// <summary>Asks again where an answer broke off or stalled: nothing of a document is kept.</summary>
    private async Task<T> WholeAsync<T>(Func<Task<T>> exchange, CancellationToken cancel)
    {
        for (int failures = 1; ; failures++)
        {
            try
            {
                return await exchange().ConfigureAwait(false);
            }
            catch (RegistryException e) when (e is { Kind: RegistryError.Unreachable, Status: not null } && failures < Retry.Attempts)
            {
                // A status: the answer had begun. What never began has been asked for again already.
                await Task.Delay(Retry.After(failures), cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task<FetchedManifest> FetchManifestOnceAsync(string tagOrDigest, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendAsync(
            () => ManifestRequest(HttpMethod.Get, tagOrDigest), cancel).ConfigureAwait(false);
        HttpRequestMessage request = response.RequestMessage!;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw PullRefusal.ForManifest(
                await session.RefusalAsync(response, "", cancel).ConfigureAwait(false), reference, session.CredentialFile);
        }

        byte[] content = await RegistryBody.ReadAsync(response, ImageDocuments.MaxSize, SilenceLimit, cancel).ConfigureAwait(false);
        Digest digest = Digest.Of(content);
        Digest? named = Digest.TryParse(tagOrDigest, out Digest byDigest) ? byDigest : ContentDigest(response);
        if (named is not null && named != digest)
        {
            throw RegistryFailure.Of(
                RegistryError.Corrupt, request, response,
                $"manifest for {reference.Familiar}: digest mismatch: expected {named}, got {digest} from {Endpoint.Base.Authority}");
        }

        string mediaType = ManifestMediaType.Determine(response.Content.Headers.ContentType?.MediaType, content, $"manifest {digest}");
        return new FetchedManifest(digest, mediaType, content);
    }

    private async Task<byte[]> FetchBlobOnceAsync(Descriptor descriptor, string what, CancellationToken cancel)
    {
        using HttpResponseMessage response = await OpenBlobAsync(descriptor, 0, what, reconnects: true, cancel).ConfigureAwait(false);
        byte[] content = await RegistryBody.ReadAsync(response, ImageDocuments.MaxSize, SilenceLimit, cancel).ConfigureAwait(false);
        Digest digest = Digest.Of(content);
        return digest == descriptor.Digest && content.Length == descriptor.Size
            ? content
            : throw RegistryFailure.Of(
                RegistryError.Corrupt, response.RequestMessage!, response,
                digest == descriptor.Digest
                    ? $"{what}: size mismatch: expected {descriptor.Size} bytes, got {content.Length}"
                    : $"{what}: digest mismatch: expected {descriptor.Digest}, got {digest} from {Endpoint.Base.Authority}");
    }

    /// <summary>Begins the download of a blob at an offset: the answer is 200 with all of it, or 206 with the rest.</summary>
    /// <param name="reconnects">As for <see cref="RegistrySession.SendAsync"/>.</param>
    public async Task<HttpResponseMessage> OpenBlobAsync(
        Descriptor descriptor, long offset, string what, bool reconnects, CancellationToken cancel)
    {
        HttpResponseMessage response = await session.SendAsync(
            () => BlobRequest(Endpoint.Url($"{reference.Path}/blobs/{descriptor.Digest}"), offset), cancel, reconnects).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound && descriptor.Urls is { Count: > 0 } urls)
        {
            response.Dispose();
            return await OpenForeignAsync(urls, offset, what, cancel).ConfigureAwait(false);
        }

        return await CheckBlobAsync(response, what, cancel).ConfigureAwait(false);
    }

    public void Dispose() => session.Dispose();

    /// <summary>Foreign layers (image-spec descriptor.md, "urls"). The image names the host, so nothing of ours goes
    /// there: no Authorization, whatever it answers (CVE-2020-15157).</summary>
    private async Task<HttpResponseMessage> OpenForeignAsync(
        IReadOnlyList<string> urls, long offset, string what, CancellationToken cancel)
    {
        foreach (string text in urls)
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "https" or "http" && url!.UserInfo.Length == 0)
            {
                HttpResponseMessage response = await session.SendForeignAsync(() => BlobRequest(url, offset), cancel).ConfigureAwait(false);
                return await CheckBlobAsync(response, what, cancel).ConfigureAwait(false);
            }
        }

        throw new RegistryException(RegistryError.NotFound, $"{what}: not in the registry, and none of its urls is http(s)");
    }

    private async Task<HttpResponseMessage> CheckBlobAsync(HttpResponseMessage response, string what, CancellationToken cancel)
    {
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
        {
            return response;
        }

        using (response)
        {
            throw await session.RefusalAsync(response, what, cancel).ConfigureAwait(false);
        }
    }

    private HttpRequestMessage ManifestRequest(HttpMethod method, string tagOrDigest)
    {
        HttpRequestMessage request = new(method, Endpoint.Url($"{reference.Path}/manifests/{tagOrDigest}"));
        foreach (string type in ManifestTypes)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        }

        return request;
    }

    private static HttpRequestMessage BlobRequest(Uri url, long offset)
    {
        HttpRequestMessage request = new(HttpMethod.Get, url);
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
        }

        return request;
    }

    private static Digest? ContentDigest(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Docker-Content-Digest", out HeaderStringValues values)
        && Digest.TryParse(values.ToString(), out Digest digest)
            ? digest
            : null;
}
