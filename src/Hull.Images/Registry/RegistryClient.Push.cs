using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>The push half: OCI distribution-spec, "Push".</summary>
internal sealed partial class RegistryClient
{
    /// <summary>Above this a registry is asked first whether it wants the body at all (RFC 9110 section 10.1.1).</summary>
    private const long ExpectAbove = 1 << 20;

    /// <summary>Whether the repository has a blob.</summary>
    /// <exception cref="RegistryException">The registry refuses to say, or is unreachable.</exception>
    public async Task<bool> HasBlobAsync(Digest digest, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Head, Endpoint.Url($"{reference.Path}/blobs/{digest}")), cancel).ConfigureAwait(false);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            _ => throw await session.RefusalAsync(response, $"blob {digest.Short}", cancel).ConfigureAwait(false),
        };
    }

    /// <summary>Begins an upload, or has the registry take the blob from another of its repositories.</summary>
    /// <param name="mountFrom">The repository that may have the blob; null for none.</param>
    /// <returns>Where the bytes go; null where the blob was mounted, and nothing is to be sent.</returns>
    /// <exception cref="RegistryException">Refused or unreachable.</exception>
    public async Task<OpenUpload?> BeginUploadAsync(Digest digest, string? mountFrom, CancellationToken cancel)
    {
        string query = mountFrom is null ? "" : $"?mount={Uri.EscapeDataString(digest.ToString())}&from={Uri.EscapeDataString(mountFrom)}";
        using HttpResponseMessage response = await session.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Post, Endpoint.Url($"{reference.Path}/blobs/uploads/{query}")), cancel).ConfigureAwait(false);
        return response.StatusCode switch
        {
            HttpStatusCode.Accepted => new OpenUpload(UploadLocation(response), MinimumChunk(response)),
            HttpStatusCode.Created when mountFrom is not null => null,
            _ => throw await session.RefusalAsync(response, $"blob {digest.Short}", cancel).ConfigureAwait(false),
        };
    }

    /// <summary>Sends a whole blob, or its rest, as the last request of its upload.</summary>
    /// <exception cref="RegistryException">Refused, or the connection broke.</exception>
    public async Task FinishUploadAsync(Uri location, Digest digest, Func<UploadContent>? content, string what, CancellationToken cancel)
    {
        UriBuilder target = new(location);
        target.Query = $"{target.Query.TrimStart('?')}{(target.Query.Length > 1 ? "&" : "")}digest={Uri.EscapeDataString(digest.ToString())}";
        using HttpResponseMessage response = await session.SendOnceAsync(
            () => UploadRequest(HttpMethod.Put, target.Uri, content?.Invoke()), cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await session.RefusalAsync(response, what, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a piece of a blob, or all of its rest, and leaves the upload open.</summary>
    /// <param name="end">The offset behind the piece.</param>
    /// <returns>Where the next request of this upload goes, and how much of the blob the registry has now.</returns>
    /// <exception cref="RegistryException">Refused, or the connection broke.</exception>
    public async Task<(Uri Location, long Received)> ContinueUploadAsync(
        Uri location, long offset, long end, Func<UploadContent> content, string what, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendOnceAsync(
            () =>
            {
                HttpRequestMessage request = UploadRequest(HttpMethod.Patch, location, content());

                // Not RFC 9110's form, which has a unit and a total: distribution-spec, "Pushing a blob in chunks".
                request.Content!.Headers.TryAddWithoutValidation("Content-Range", $"{offset}-{end - 1}");
                return request;
            },
            cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await session.RefusalAsync(response, what, cancel).ConfigureAwait(false);
        }

        // A registry may keep less than it was sent; one that does not say has all.
        long received = ReceivedBytes(response) ?? end;
        return received > offset && received <= end
            ? (UploadLocation(response), received)
            : throw RegistryFailure.Of(
                RegistryError.Server, response.RequestMessage!, response,
                $"{what}: {Endpoint.Base.Authority} was sent bytes {offset} to {end - 1} and says that it has {received}");
    }

    /// <summary>How much of an upload the registry has kept, and where it goes on; null where it has dropped the upload. Asks
    /// once.</summary>
    /// <exception cref="RegistryException">Unreachable.</exception>
    public async Task<(Uri Location, long Received)?> UploadStatusAsync(Uri location, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendOnceAsync(() => new HttpRequestMessage(HttpMethod.Get, location), cancel).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.NoContent && response.Headers.Location is not null && ReceivedBytes(response) is { } received
            ? (UploadLocation(response), received)
            : null;
    }

    /// <summary>Puts a manifest or index under a tag or digest. All that it names must be in the repository before.</summary>
    /// <exception cref="RegistryException">Refused or unreachable; Corrupt where the registry says it has kept other bytes.</exception>
    public async Task<Digest> PutManifestAsync(string tagOrDigest, byte[] content, string mediaType, CancellationToken cancel)
    {
        using HttpResponseMessage response = await session.SendAsync(
            () =>
            {
                HttpRequestMessage request = new(HttpMethod.Put, Endpoint.Url($"{reference.Path}/manifests/{tagOrDigest}"))
                {
                    Content = new ByteArrayContent(content),
                };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
                return request;
            },
            cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await session.RefusalAsync(response, $"manifest {tagOrDigest}", cancel).ConfigureAwait(false);
        }

        Digest digest = Digest.Of(content);
        return ContentDigest(response) is not { } kept || kept == digest
            ? digest
            : throw RegistryFailure.Of(
                RegistryError.Corrupt, response.RequestMessage!, response,
                $"manifest {tagOrDigest}: digest mismatch: sent {digest}, {Endpoint.Base.Authority} keeps {kept}");
    }

    /// <summary>The Range header of an upload, "0-N" with N the last byte; null where there is none.</summary>
    private static long? ReceivedBytes(HttpResponseMessage response)
    {
        string range = response.Headers.NonValidated.TryGetValues("Range", out HeaderStringValues values) ? values.ToString() : "";
        return range.StartsWith("0-", StringComparison.Ordinal)
            && long.TryParse(range.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out long last) && last < long.MaxValue
            ? last + 1
            : null;
    }

    private static long MinimumChunk(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("OCI-Chunk-Min-Length", out HeaderStringValues values)
        && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out long minimum) ? minimum : 0;

    private static HttpRequestMessage UploadRequest(HttpMethod method, Uri location, UploadContent? content)
    {
        HttpRequestMessage request = new(method, location);
        if (content is not null)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            request.Content = content;
            request.Headers.ExpectContinue = content.Headers.ContentLength > ExpectAbove;
        }

        return request;
    }

    /// <summary>Where the next bytes go: relative to the request, or another host, which then gets no credentials.</summary>
    private Uri UploadLocation(HttpResponseMessage response)
    {
        HttpRequestMessage request = response.RequestMessage!;
        Uri url = request.RequestUri!;
        if (response.Headers.Location is not Uri location)
        {
            throw RegistryFailure.Of(RegistryError.Server, request, response, $"{url.Authority} began an upload without saying where (no Location)");
        }

        Uri target = new(url, location);
        return url.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps && !session.AllowsPlain(target)
            ? throw RegistryFailure.Of(
                RegistryError.Server,
                request,
                response,
                $"{url.Authority} wants the upload at {target.Scheme}://{target.Authority}, which is refused "
                    + "(is it behind a proxy that does not tell it of https, by X-Forwarded-Proto?)")
            : target;
    }
}
