using System.Net;
using System.Net.Http.Headers;

namespace Hull.Images.Registry;

/// <summary>Requests to one endpoint: repeated where that may help, with the answer to its challenge, and followed where it
/// redirects. Thread-safe.</summary>
/// <param name="scopes">What its tokens are for, see <see cref="TokenScope"/>; none for a login.</param>
internal sealed class RegistrySession(
    RegistryTransport transport,
    RegistrySettings settings,
    CredentialStore credentials,
    RegistryEndpoint endpoint,
    RetryPolicy retry,
    IReadOnlyList<string> scopes)
    : IDisposable
{
    private const int MaximumErrorBody = 64 << 10;

    private readonly RegistryAuthenticator _authenticator = new(transport, settings, credentials, endpoint, scopes);

    public RegistryEndpoint Endpoint => endpoint;

    public RetryPolicy Retry => retry;

    public TimeSpan SilenceLimit => transport.SilenceLimit;

    /// <summary>Where its credentials come from, for messages.</summary>
    public string? CredentialFile => credentials.File;

    /// <summary>The lasting token that the token server gave at a login; null for none.</summary>
    public string? IdentityToken => _authenticator.IdentityToken;

    /// <summary>A session at the first endpoint that answers; never at a mirror, which takes neither images nor logins.</summary>
    /// <exception cref="RegistryException">Unreachable.</exception>
    public static async Task<RegistrySession> ConnectAsync(
        RegistryTransport transport,
        RegistrySettings settings,
        CredentialStore credentials,
        string domain,
        RetryPolicy retry,
        IReadOnlyList<string> scopes,
        CancellationToken cancel)
    {
        IReadOnlyList<RegistryEndpoint> endpoints =
            [.. RegistryEndpoint.For(domain, settings, transport.HasCertificates).Where(endpoint => !endpoint.IsMirror)];
        for (int i = 0; ; i++)
        {
            RegistrySession session = new(transport, settings, credentials, endpoints[i], retry, scopes);
            try
            {
                if (i < endpoints.Count - 1)
                {
                    await session.PingAsync(cancel).ConfigureAwait(false);
                }

                return session;
            }
            catch (RegistryException e) when (e.Kind == RegistryError.Unreachable)
            {
                session.Dispose();
            }
        }
    }

    public bool AllowsPlain(Uri url) => transport.AllowsPlain(url);

    /// <summary>Sends until an answer that another attempt would not change. Attempts end early where nothing was ever
    /// reached: a wrong name or a dead port does not get better in seconds.</summary>
    /// <param name="reconnects">False where the caller itself counts the attempts at a connection that broke or stalled.</param>
    /// <exception cref="RegistryException">Unreachable, or no token to be had.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancel, bool reconnects = true)
    {
        for (int failures = 1; ; failures++)
        {
            HttpResponseMessage response;
            try
            {
                response = await SendOnceAsync(create, cancel).ConfigureAwait(false);
            }
            catch (RegistryException e) when (e.MayPass && reconnects && failures < retry.Attempts)
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

    /// <summary>One request, its challenge answered: a failure that may pass is the caller's to judge.</summary>
    /// <exception cref="RegistryException">Unreachable, or no token to be had.</exception>
    public async Task<HttpResponseMessage> SendOnceAsync(Func<HttpRequestMessage> create, CancellationToken cancel)
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

    /// <summary>A request to a host that an image names: nothing of ours goes there.</summary>
    public Task<HttpResponseMessage> SendForeignAsync(Func<HttpRequestMessage> create, CancellationToken cancel) =>
        FollowAsync(create, null, cancel);

    /// <summary>The failure that an answer tells.</summary>
    /// <param name="what">What was asked for, the first words of the message.</param>
    public async Task<RegistryException> RefusalAsync(HttpResponseMessage response, string what, CancellationToken cancel)
    {
        byte[] body = await RegistryBody.ReadAsync(response, MaximumErrorBody, SilenceLimit, cancel).ConfigureAwait(false);
        return RegistryFailure.From(response.RequestMessage!, response, body, what);
    }

    public void Dispose() => _authenticator.Dispose();

    /// <summary>Whether somebody answers here who may be a registry; any status is an answer.</summary>
    /// <exception cref="RegistryException">Unreachable.</exception>
    private async Task PingAsync(CancellationToken cancel)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, Endpoint.Url(""));
        using HttpResponseMessage response = await transport.SendAsync(request, cancel).ConfigureAwait(false);
    }

    /// <summary>The Authorization header goes to the registry's own origin only.</summary>
    private Task<HttpResponseMessage> FollowAsync(Func<HttpRequestMessage> create, AuthenticationHeaderValue? header, CancellationToken cancel) =>
        Redirects.FollowAsync(
            transport,
            create,
            request =>
            {
                if (header is not null && RegistryTransport.IsSameOrigin(endpoint.Base, request.RequestUri!))
                {
                    request.Headers.Authorization = header;
                }
            },
            cancel);
}
