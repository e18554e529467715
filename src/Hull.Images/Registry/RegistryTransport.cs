using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Hull.Images.Registry;

/// <summary>Opens a connection to a host and port; tests replace it to give loopback servers other names.</summary>
internal delegate ValueTask<Stream> ConnectStream(DnsEndPoint endPoint, CancellationToken cancel);

/// <summary>HTTP exchanges, one connection pool an origin, since each host has its own trust: certificates of
/// <c>certs.d</c>, the system's, or none. Never follows redirects, never sends what it was not given. Thread-safe.</summary>
internal sealed class RegistryTransport : IDisposable
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(20);

    private readonly RegistrySettings _settings;
    private readonly EnvironmentProxy _proxy;
    private readonly ConnectStream? _connect;
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _origins = new(StringComparer.OrdinalIgnoreCase);

    public RegistryTransport(RegistrySettings settings, ConnectStream? connect = null, Func<string, string?>? environment = null)
    {
        _settings = settings;
        SilenceLimit = settings.Timeout;
        _connect = connect;
        _proxy = new EnvironmentProxy(environment ?? Environment.GetEnvironmentVariable);
    }

    /// <summary>How long the peer may be silent before an exchange counts as failed.</summary>
    public TimeSpan SilenceLimit { get; init; }

    /// <summary>Whether plain HTTP may be spoken to this URL's host: loopback, configured as insecure, or configured as
    /// an http mirror.</summary>
    public bool AllowsPlain(Uri url) =>
        _settings.IsInsecure(url)
        || _settings.Mirrors.Concat(_settings.RegistryMirrors.Values.SelectMany(list => list)).Any(mirror => mirror.Scheme == Uri.UriSchemeHttp && IsSameOrigin(mirror, url));

    /// <summary>Whether an administrator gave this <c>host:port</c> certificates.</summary>
    public bool HasCertificates(string authority) => FindCertificates(authority) is not null;

    /// <summary>Same scheme, host and port: the only place a header with credentials may be sent on to.</summary>
    public static bool IsSameOrigin(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && a.IdnHost.Equals(b.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>One exchange, up to the headers of the answer; the caller disposes it.</summary>
    /// <exception cref="RegistryException">Unreachable: no connection, no TLS, no answer in time; or plain HTTP where it
    /// is not allowed.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        Uri url = request.RequestUri!;
        if (url.Scheme == Uri.UriSchemeHttp ? !AllowsPlain(url) : url.Scheme != Uri.UriSchemeHttps)
        {
            string cause = $"{url.Scheme}: is refused for {url.Authority} (only https, or a host listed in insecure-registries)";
            throw Failure(request, cause, null, mayPass: false);
        }

        request.Headers.UserAgent.ParseAdd("hull");
        HttpMessageInvoker origin = _origins.GetOrAdd(url.GetLeftPart(UriPartial.Authority), _ => Open(url));
        using CancellationTokenSource limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(SilenceLimit);
        if (request.Content is UploadContent upload)
        {
            // A long upload is not silence: what the peer takes shows that it is there.
            upload.Taken = () => limited.CancelAfter(SilenceLimit);
        }

        try
        {
            return await origin.SendAsync(request, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            string what = request.Content is UploadContent { Sent: > 0 } sent ? $"the upload stalled after {sent.Sent} bytes: no answer" : "no answer";
            throw Failure(request, $"{what} {RegistryFailure.Silence(SilenceLimit)}", e, mayPass: true);
        }
        catch (HttpRequestException e)
        {
            bool neverReached = e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
            throw Failure(request, Cause(e, url), e, mayPass: !neverReached);
        }
    }

    public void Dispose()
    {
        foreach (HttpMessageInvoker origin in _origins.Values)
        {
            origin.Dispose();
        }
    }

    private static RegistryException Failure(HttpRequestMessage request, string cause, Exception? inner, bool mayPass)
    {
        Uri url = request.RequestUri!;
        return new RegistryException(RegistryError.Unreachable, $"{url.Host}:{url.Port} is unreachable: {cause}", inner)
        {
            Method = request.Method.Method,
            Url = RegistryException.Redact(url),
            MayPass = mayPass,
        };
    }

    private HttpMessageInvoker Open(Uri url)
    {
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectLimit,
            ActivityHeadersPropagator = null,
            Proxy = _proxy,
            UseProxy = true,
            DefaultProxyCredentials = null,
        };
        if (_connect is not null)
        {
            handler.ConnectCallback = (context, cancel) => _connect(context.DnsEndPoint, cancel);
        }

        if (url.Scheme == Uri.UriSchemeHttps)
        {
            handler.SslOptions = Tls(url);
        }

        return new HttpMessageInvoker(handler);
    }

    private SslClientAuthenticationOptions Tls(Uri url)
    {
        SslClientAuthenticationOptions options = new() { CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
        CertificateDirectory? certificates = FindCertificates(url.Authority);
        if (certificates is not null)
        {
            options.RemoteCertificateValidationCallback = (_, leaf, chain, errors) => certificates.Accepts(leaf, chain, errors);
            if (certificates.Client is not null)
            {
                options.ClientCertificateContext = SslStreamCertificateContext.Create(certificates.Client, null, offline: true);
            }
        }
        else if (_settings.IsInsecure(url))
        {
#pragma warning disable CA5359 // The administrator said that this host's certificate does not matter, or it is loopback.
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }

        return options;
    }

    /// <summary>By the name as typed, then with the port of https added or left out.</summary>
    private CertificateDirectory? FindCertificates(string authority)
    {
        const string Port = ":443";
        bool hasPort = authority.LastIndexOf(':') > authority.LastIndexOf(']');
        string other = authority.EndsWith(Port, StringComparison.Ordinal) ? authority[..^Port.Length]
            : hasPort ? authority
            : authority + Port;
        return CertificateDirectory.Find(_settings.CertificateDirectories, authority)
            ?? CertificateDirectory.Find(_settings.CertificateDirectories, other);
    }

    /// <summary>The innermost words that tell a person something: the chain's status of a refused certificate, the
    /// socket's error, the proxy's status.</summary>
    private static string Cause(HttpRequestException e, Uri url)
    {
        for (Exception? inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }:
                    return "no such host (is the name spelled right, and does DNS work?)";
                case SocketException { SocketErrorCode: SocketError.TryAgain }:
                    return "the name cannot be resolved now (DNS does not answer)";
                case SocketException socket:
#pragma warning disable CA1308 // House style: causes are lower case.
                    return socket.Message.ToLowerInvariant();
#pragma warning restore CA1308
                case AuthenticationException tls when tls.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase):
                    return $"TLS: {tls.Message} (its authority may be put into /etc/hull/certs.d/{url.Authority}/ca.crt)";
                case TimeoutException:
                    return $"no connection within {ConnectLimit.TotalSeconds:0} s";
            }
        }

        string words = (e.InnerException?.InnerException ?? e.InnerException ?? e).Message;
        return e.HttpRequestError switch
        {
            HttpRequestError.ProxyTunnelError => $"the proxy refused: {e.Message}",
            HttpRequestError.SecureConnectionError => $"TLS: {words} (does it speak https?)",
            _ => words,
        };
    }
}
