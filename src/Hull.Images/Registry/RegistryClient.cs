using System.Net;
using System.Net.Http.Headers;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>A manifest or index as it came, checked against its digest.</summary>
/// <param name="Digest">The hash of <paramref name="Content"/>.</param>
/// <param name="MediaType">What it is, by Content-Type and by its own word, which agree.</param>
internal sealed record FetchedManifest(Digest Digest, string MediaType, byte[] Content);

/// <summary>One repository at one endpoint: this part sends, follows and pulls, the other pushes (OCI distribution-spec).
/// Thread-safe.</summary>
/// <param name="scopes">What its tokens are for, see <see cref="TokenScope"/>; null for pulling.</param>
internal sealed partial class RegistryClient(
    RegistryTransport transport,
    RegistrySettings settings,
    CredentialStore credentials,
    RegistryEndpoint endpoint,
    ImageReference reference,
    RetryPolicy retry,
    IReadOnlyList<string>? scopes = null)
    : IDisposable
{
    private const int MaximumRedirects = 10;
    private const int MaximumErrorBody = 64 << 10;

    private static readonly string[] ManifestTypes =
        [MediaTypes.OciIndex, MediaTypes.DockerManifestList, MediaTypes.OciManifest, MediaTypes.DockerManifest];

    private readonly RegistryAuthenticator _authenticator = new(
        transport, settings, credentials, endpoint, scopes ?? [TokenScope.Pull(reference.Path)]);

    public RegistryEndpoint Endpoint => endpoint;

    public RetryPolicy Retry => retry;

    public TimeSpan SilenceLimit => transport.SilenceLimit;

    /// <summary>The digest a tag stands for now, by a request that registries do not count as a pull; null where the
    /// registry does not say.</summary>
    public async Task<Digest?> ResolveTagAsync(string tag, CancellationToken cancel)
    {
        using HttpResponseMessage response = await SendAsync(
            () => ManifestRequest(HttpMethod.Head, tag), cancel).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.OK ? ContentDigest(response) : null;
    }

    /// <summary>The manifest or index behind a tag or digest.</summary>
    /// <exception cref="RegistryException">Not found, refused, unreachable, or not what it says it is.</exception>
    public async Task<FetchedManifest> FetchManifestAsync(string tagOrDigest, CancellationToken cancel)
    {
        using HttpResponseMessage response = await SendAsync(
            () => ManifestRequest(HttpMethod.Get, tagOrDigest), cancel).ConfigureAwait(false);
        HttpRequestMessage request = response.RequestMessage!;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw PullRefusal.ForManifest(await RefusalAsync(response, "", cancel).ConfigureAwait(false), reference, credentials.File);
        }

        byte[] content = await RegistryBody.ReadAsync(response, ImageDocuments.MaxSize, SilenceLimit, cancel).ConfigureAwait(false);
        Digest digest = Digest.Of(content);
        Digest? named = Digest.TryParse(tagOrDigest, out Digest byDigest) ? byDigest : ContentDigest(response);
        if (named is not null && named != digest)
        {
            throw RegistryFailure.Of(
                RegistryError.Corrupt, request, response,
                $"manifest for {reference.Familiar}: digest mismatch: expected {named}, got {digest} from {endpoint.Base.Authority}");
        }

        string mediaType = ManifestMediaType.Determine(response.Content.Headers.ContentType?.MediaType, content, $"manifest {digest}");
        return new FetchedManifest(digest, mediaType, content);
    }

    /// <summary>A whole blob in memory, checked: image configurations.</summary>
    /// <exception cref="RegistryException">Not found, refused, unreachable, of another size or digest, or too long.</exception>
    public async Task<byte[]> FetchBlobAsync(Descriptor descriptor, string what, CancellationToken cancel)
    {
        ImageDocuments.CheckSize(descriptor.Size, what);
        using HttpResponseMessage response = await OpenBlobAsync(descriptor, 0, what, cancel).ConfigureAwait(false);
        byte[] content = await RegistryBody.ReadAsync(response, ImageDocuments.MaxSize, SilenceLimit, cancel).ConfigureAwait(false);
        Digest digest = Digest.Of(content);
        return digest == descriptor.Digest && content.Length == descriptor.Size
            ? content
            : throw RegistryFailure.Of(
                RegistryError.Corrupt, response.RequestMessage!, response,
                digest == descriptor.Digest
                    ? $"{what}: size mismatch: expected {descriptor.Size} bytes, got {content.Length}"
                    : $"{what}: digest mismatch: expected {descriptor.Digest}, got {digest} from {endpoint.Base.Authority}");
    }

    /// <summary>Begins the download of a blob at an offset: the answer is 200 with all of it, or 206 with the rest.</summary>
    public async Task<HttpResponseMessage> OpenBlobAsync(Descriptor descriptor, long offset, string what, CancellationToken cancel)
    {
        HttpResponseMessage response = await SendAsync(
            () => BlobRequest(endpoint.Url($"{reference.Path}/blobs/{descriptor.Digest}"), offset), cancel).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound && descriptor.Urls is { Count: > 0 } urls)
        {
            response.Dispose();
            return await OpenForeignAsync(urls, offset, what, cancel).ConfigureAwait(false);
        }

        return await CheckBlobAsync(response, what, cancel).ConfigureAwait(false);
    }

    public void Dispose() => _authenticator.Dispose();

    /// <summary>Foreign layers (image-spec descriptor.md, "urls"). The image names the host, so nothing of ours goes
    /// there: no Authorization, whatever it answers (CVE-2020-15157).</summary>
    private async Task<HttpResponseMessage> OpenForeignAsync(
        IReadOnlyList<string> urls, long offset, string what, CancellationToken cancel)
    {
        foreach (string text in urls)
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "https" or "http" && url!.UserInfo.Length == 0)
            {
                HttpResponseMessage response = await FollowAsync(() => BlobRequest(url, offset), null, cancel).ConfigureAwait(false);
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
            throw await RefusalAsync(response, what, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends until an answer that another attempt would not change. Attempts end early where nothing was ever
    /// reached: a wrong name or a dead port does not get better in seconds.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancel)
    {
        for (int failures = 1; ; failures++)
        {
            HttpResponseMessage response;
            try
            {
                response = await AuthorizedAsync(create, cancel).ConfigureAwait(false);
            }
            catch (RegistryException e) when (e.MayPass && failures < retry.Attempts)
            {
                await Task.Delay(retry.After(failures), cancel).ConfigureAwait(false);
                continue;
            }

            TimeSpan? wait = response.StatusCode == HttpStatusCode.TooManyRequests ? RegistryFailure.RetryAfter(response)
                : RegistryFailure.IsPassing(response.StatusCode) ? RegistryFailure.RetryAfter(response) ?? retry.After(failures)
                : null;
            if (wait is null || wait > retry.LongestWait || failures >= retry.Attempts)
            {
                return response;
            }

            response.Dispose();
            await Task.Delay(wait.Value, cancel).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> AuthorizedAsync(Func<HttpRequestMessage> create, CancellationToken cancel)
    {
        AuthenticationHeaderValue? header = _authenticator.Current;
        HttpResponseMessage response = await FollowAsync(create, header, cancel).ConfigureAwait(false);

        // Twice: the first answer may be a token that has just run out.
        for (int answers = 0; answers < 2 && response.StatusCode == HttpStatusCode.Unauthorized; answers++)
        {
            // Only the registry itself is answered, not a host it redirected to.
            if (!RegistryTransport.IsSameOrigin(endpoint.Base, response.RequestMessage!.RequestUri!))
            {
                break;
            }

            IReadOnlyList<AuthChallenge> challenges = AuthChallenge.Parse(
                response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out HeaderStringValues lines) ? lines : []);
            header = await _authenticator.AnswerAsync(challenges, header, cancel).ConfigureAwait(false);
            if (header is null)
            {
                break;
            }

            response.Dispose();
            response = await FollowAsync(create, header, cancel).ConfigureAwait(false);
        }

        return response;
    }

    /// <summary>Follows redirects. The Authorization header goes to the registry's own origin only, and TLS is not lost
    /// on the way.</summary>
    /// <param name="create">Makes the request anew for each host: a body that has been sent cannot be sent again.</param>
    private async Task<HttpResponseMessage> FollowAsync(
        Func<HttpRequestMessage> create, AuthenticationHeaderValue? header, CancellationToken cancel)
    {
        HttpRequestMessage request = create();
        for (int redirects = 0; ; redirects++)
        {
            Uri url = request.RequestUri!;
            if (header is not null && RegistryTransport.IsSameOrigin(endpoint.Base, url))
            {
                request.Headers.Authorization = header;
            }

            HttpResponseMessage response = await transport.SendAsync(request, cancel).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not Uri location)
            {
                return response;
            }

            using (response)
            {
                Uri target = new(url, location);
                CheckRedirect(request, response, target, redirects);
                request.Dispose();
                request = create();
                request.RequestUri = target;
            }
        }
    }

    private void CheckRedirect(HttpRequestMessage request, HttpResponseMessage response, Uri target, int redirects)
    {
        Uri url = request.RequestUri!;
        string? refused = redirects == MaximumRedirects ? $"{url.Authority} redirects without end"
            : url.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps && !transport.AllowsPlain(target)
                ? $"{url.Authority} redirects from https to {target.Scheme}://{target.Authority}, which is refused"

            // RFC 9110 section 15.4: 301, 302 and 303 may turn an upload into a GET, which nobody who redirects uploads means.
            : (int)response.StatusCode is 301 or 302 or 303 && request.Method != HttpMethod.Get && request.Method != HttpMethod.Head
                ? $"{url.Authority} answers {request.Method} with the redirect {(int)response.StatusCode}, which does not keep the method"
            : null;
        if (refused is not null)
        {
            throw RegistryFailure.Of(RegistryError.Server, request, response, refused);
        }
    }

    private HttpRequestMessage ManifestRequest(HttpMethod method, string tagOrDigest)
    {
        HttpRequestMessage request = new(method, endpoint.Url($"{reference.Path}/manifests/{tagOrDigest}"));
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
