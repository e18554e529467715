using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Hull.Images.Registry;

/// <summary>Answers a registry's challenge with the header that goes into the next request: Basic, or a Bearer token
/// bought at the challenge's realm. One per endpoint and purpose; thread-safe.</summary>
/// <remarks>The realm is the registry's word, and the registry may lie (CVE-2026-33540). A password goes to a realm on the
/// registry's own host, in its domain, or to one that the settings name for it; elsewhere nothing is sent, not even what
/// the user keeps for that other host: the token it buys, for a scope hidden in the realm's query, would go to the
/// registry that lied. Redirects of the token server are refused.</remarks>
/// <param name="scopes">What a token is to be good for, see <see cref="TokenScope"/>; none for a login, which asks for a lasting
/// token as well.</param>
internal sealed class RegistryAuthenticator(
    RegistryTransport transport, RegistrySettings settings, CredentialStore credentials, RegistryEndpoint endpoint, IReadOnlyList<string> scopes)
    : IDisposable
{
    private const int MaximumTokenBody = 1 << 20;
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _lock = new(1, 1);
    private AuthenticationHeaderValue? _header;
    private DateTimeOffset _expires = DateTimeOffset.MaxValue;

    /// <summary>The header known to be wanted, or null before the first challenge and when it has expired.</summary>
    public AuthenticationHeaderValue? Current => DateTimeOffset.UtcNow < _expires ? _header : null;

    /// <summary>The lasting token that came with the last one bought; null for none.</summary>
    public string? IdentityToken { get; private set; }

    /// <summary>Answers the challenges of a 401.</summary>
    /// <param name="refused">The header that was sent, so that several layers refused at once buy one token.</param>
    /// <returns>The header for the next attempt, or null where there is nothing (new) to offer.</returns>
    /// <exception cref="RegistryException">The token server refused or is unreachable; a credential helper failed.</exception>
    public async Task<AuthenticationHeaderValue?> AnswerAsync(
        IReadOnlyList<AuthChallenge> challenges, AuthenticationHeaderValue? refused, CancellationToken cancel)
    {
        await _lock.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (Current is { } current && !current.Equals(refused))
            {
                return current;
            }

            AuthenticationHeaderValue? answer = await ChooseAsync(challenges, cancel).ConfigureAwait(false);
            if (answer is null || answer.Equals(refused))
            {
                return null;
            }

            _header = answer;
            return answer;
        }
        finally
        {
            _lock.Release();
        }
    }

    public void Dispose() => _lock.Dispose();

    private async Task<AuthenticationHeaderValue?> ChooseAsync(IReadOnlyList<AuthChallenge> challenges, CancellationToken cancel)
    {
        if (challenges.FirstOrDefault(c => c.IsBearer) is { } bearer)
        {
            return new AuthenticationHeaderValue("Bearer", await FetchTokenAsync(bearer, cancel).ConfigureAwait(false));
        }

        if (challenges.Any(c => c.IsBasic) && credentials.Find(endpoint.Domain) is RegistryCredential.Password password)
        {
            _expires = DateTimeOffset.MaxValue;
            return Basic(password);
        }

        return null;
    }

    private async Task<string> FetchTokenAsync(AuthChallenge challenge, CancellationToken cancel)
    {
        if (!Uri.TryCreate(challenge["realm"], UriKind.Absolute, out Uri? realm)
            || realm.Scheme is not ("https" or "http") || realm.UserInfo.Length > 0)
        {
            throw new RegistryException(
                RegistryError.Server, $"{endpoint.Base.Authority} asks for a token of a realm that is no http(s) URL");
        }

        RegistryCredential? credential = CredentialFor(realm);
        if (credential is RegistryCredential.RegistryToken ready)
        {
            _expires = DateTimeOffset.MaxValue;
            return ready.Token;
        }

        using HttpRequestMessage request = TokenRequest(realm, challenge["service"], credential);
        using HttpResponseMessage response = await transport.SendAsync(request, cancel).ConfigureAwait(false);
        byte[] body = await RegistryBody.ReadAsync(response, MaximumTokenBody, transport.SilenceLimit, cancel).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw Refused(request, response, body, credential, realm);
        }

        TokenBody? token = Parse(body);
        string? text = string.IsNullOrEmpty(token?.Token) ? token?.AccessToken : token.Token;
        if (string.IsNullOrEmpty(text) || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' or '+' or '/' or '='))
        {
            throw RegistryFailure.Of(RegistryError.Server, request, response, $"token server {realm.Authority} answered without a token");
        }

        int seconds = token!.ExpiresIn is int given and > 0 ? given : (int)DefaultLifetime.TotalSeconds;
        IdentityToken = token.RefreshToken is { Length: > 0 } lasting ? lasting : null;
        // A tenth early: the token is not to run out on the way.
        _expires = DateTimeOffset.UtcNow.AddSeconds(seconds * 0.9);
        return text;
    }

    private HttpRequestMessage TokenRequest(Uri realm, string? service, RegistryCredential? credential)
    {
        if (credential is RegistryCredential.IdentityToken identity)
        {
            return new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(
                [
                    new("grant_type", "refresh_token"),
                    new("service", service ?? ""),
                    new("client_id", "hull"),
                    new("scope", string.Join(' ', scopes)),
                    new("refresh_token", identity.Token),
                ]),
            };
        }

        StringBuilder query = new(realm.Query.TrimStart('?'));
        if (service is not null)
        {
            query.Append(query.Length > 0 ? "&" : "").Append("service=").Append(Uri.EscapeDataString(service));
        }

        foreach (string scope in scopes)
        {
            query.Append(query.Length > 0 ? "&" : "").Append("scope=").Append(Uri.EscapeDataString(scope));
        }

        if (scopes.Count == 0 && credential is RegistryCredential.Password { User: string user })
        {
            // distribution, "Token Authentication": a refresh token may come instead of keeping the password.
            query.Append(query.Length > 0 ? "&" : "").Append("account=").Append(Uri.EscapeDataString(user)).Append("&client_id=hull&offline_token=true");
        }

        HttpRequestMessage request = new(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
        if (credential is RegistryCredential.Password password)
        {
            request.Headers.Authorization = Basic(password);
        }

        return request;
    }

    private RegistryCredential? CredentialFor(Uri realm) => IsTrusted(realm) ? credentials.Find(endpoint.Domain) : null;

    private bool IsTrusted(Uri realm) =>
        IsOwnRealm(endpoint.Base, realm)
        || (realm.Scheme == Uri.UriSchemeHttps
            && settings.TrustedTokenServers.TryGetValue(endpoint.Domain, out IReadOnlyList<string>? trusted)
            && trusted.Contains(realm.Authority, StringComparer.OrdinalIgnoreCase));

    /// <summary>Whether a realm belongs to the registry: the same host without loss of TLS, or a host in the domain the
    /// registry itself is in (registry-1.docker.io and auth.docker.io, registry.gitlab.com and gitlab.com).</summary>
    internal static bool IsOwnRealm(Uri registry, Uri realm)
    {
        if (registry.Scheme == Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttps)
        {
            return false;
        }

        string host = registry.IdnHost;
        string other = realm.IdnHost;
        if (host.Equals(other, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (RegistrySettings.IsLoopback(RegistrySettings.HostOf(host)) && RegistrySettings.IsLoopback(RegistrySettings.HostOf(other)))
        {
            return true;
        }

        if (IPAddress.TryParse(host, out _) || IPAddress.TryParse(other, out _))
        {
            return false;
        }

        if (other.EndsWith("." + host, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        int dot = host.IndexOf('.', StringComparison.Ordinal);
        string parent = dot < 0 ? "" : host[(dot + 1)..];
        return IsRegistrable(parent)
            && (other.Equals(parent, StringComparison.OrdinalIgnoreCase)
                || other.EndsWith("." + parent, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether one owner has all of a domain. Without the public suffix list: two labels at least, and not of
    /// the kind of co.uk or com.au.</summary>
    private static bool IsRegistrable(string domain)
    {
        string[] labels = domain.Split('.');
        return labels.Length > 2 || (labels.Length == 2 && !(labels[1].Length == 2 && labels[0].Length <= 3));
    }

    private RegistryException Refused(
        HttpRequestMessage request, HttpResponseMessage response, byte[] body, RegistryCredential? credential, Uri realm)
    {
        if (response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest))
        {
            return RegistryFailure.From(request, response, body, $"token server {realm.Authority}");
        }

        string message = credential is not null
            ? $"{realm.Authority} refused the credentials for {endpoint.Domain}: incorrect username, password or token{(credentials.File is null ? "" : $" (from {credentials.File})")}"
            : IsTrusted(realm) || credentials.Find(endpoint.Domain) is null
                ? $"{realm.Authority} gives no anonymous token"
                : $"{realm.Authority} gives no anonymous token, and the credentials for {endpoint.Domain} are not sent to another host "
                    + $"(trusted-token-servers in {RegistrySettings.DefaultFile} may allow it)";
        return RegistryFailure.Of(RegistryError.Unauthorized, request, response, message);
    }

    private static AuthenticationHeaderValue Basic(RegistryCredential.Password password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{password.User}:{password.Secret}")));

    private static TokenBody? Parse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, RegistryJson.Default.TokenBody);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
