namespace Hull.Images.Registry;

/// <summary>Follows redirects (RFC 9110 section 15.4): TLS is not lost on the way, and a method is kept.</summary>
internal static class Redirects
{
    private const int Maximum = 10;

    /// <param name="create">Makes the request anew for each host: a body that has been sent cannot be sent again.</param>
    /// <param name="authorize">Given each request before it is sent; decides by its URL whether the host may have credentials.</param>
    /// <exception cref="RegistryException">Unreachable; Server: a redirect that is refused.</exception>
    public static async Task<HttpResponseMessage> FollowAsync(
        RegistryTransport transport, Func<HttpRequestMessage> create, Action<HttpRequestMessage> authorize, CancellationToken cancel)
    {
        HttpRequestMessage request = create();
        for (int redirects = 0; ; redirects++)
        {
            authorize(request);
            HttpResponseMessage response = await transport.SendAsync(request, cancel).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not Uri location)
            {
                return response;
            }

            using (response)
            {
                Uri target = new(request.RequestUri!, location);
                Check(transport, request, response, target, redirects);
                request.Dispose();
                request = create();
                request.RequestUri = target;
            }
        }
    }

    private static void Check(RegistryTransport transport, HttpRequestMessage request, HttpResponseMessage response, Uri target, int redirects)
    {
        Uri url = request.RequestUri!;
        string? refused = redirects == Maximum ? $"{url.Authority} redirects without end"
            : url.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps && !transport.AllowsPlain(target)
                ? $"{url.Authority} redirects from https to {target.Scheme}://{target.Authority}, which is refused"

            // 301, 302 and 303 may turn an upload into a GET, which nobody who redirects uploads means.
            : (int)response.StatusCode is 301 or 302 or 303 && request.Method != HttpMethod.Get && request.Method != HttpMethod.Head
                ? $"{url.Authority} answers {request.Method} with the redirect {(int)response.StatusCode}, which does not keep the method"
            : null;
        if (refused is not null)
        {
            throw RegistryFailure.Of(RegistryError.Server, request, response, refused);
        }
    }
}
