using System.Net;

namespace Hull.Images.Registry;

/// <summary>The proxy of <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c> and <c>NO_PROXY</c>, either case, by the rules that
/// docker's users know: loopback is never proxied; NO_PROXY holds <c>*</c>, hosts, domains with their subdomains,
/// addresses and address ranges, each with an optional port.</summary>
internal sealed class EnvironmentProxy : IWebProxy
{
    private readonly Uri? _https;
    private readonly Uri? _http;
    private readonly string[] _except;

    /// <exception cref="RegistryException">Configuration: A variable holds no URL.</exception>
    public EnvironmentProxy(Func<string, string?> environment)
    {
        _https = Parse("HTTPS_PROXY", Read(environment, "HTTPS_PROXY"));
        _http = Parse("HTTP_PROXY", Read(environment, "HTTP_PROXY"));
        _except = (Read(environment, "NO_PROXY") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Uri? withUser = (_https ?? _http)?.UserInfo.Length > 0 ? _https ?? _http : null;
        if (withUser is not null)
        {
            string[] parts = withUser.UserInfo.Split(':', 2);
            Credentials = new NetworkCredential(
                Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        }
    }

    public ICredentials? Credentials { get; set; }

    public Uri? GetProxy(Uri destination) =>
        IsExcepted(destination) ? null : destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    public bool IsBypassed(Uri host) => GetProxy(host) is null;

    private bool IsExcepted(Uri destination)
    {
        string host = destination.IdnHost;
        if (RegistrySettings.IsLoopback(host))
        {
            return true;
        }

        bool isAddress = IPAddress.TryParse(host, out IPAddress? address);
        foreach (string entry in _except)
        {
            if (entry == "*" || (isAddress && IPNetwork.TryParse(entry, out IPNetwork network) && network.Contains(address!)))
            {
                return true;
            }

            string name = entry;
            int colon = entry.LastIndexOf(':');
            if (colon > 0 && entry.IndexOf(':', StringComparison.Ordinal) == colon)
            {
                if (entry[(colon + 1)..] != destination.Port.ToString(System.Globalization.CultureInfo.InvariantCulture))
                {
                    continue;
                }

                name = entry[..colon];
            }

            string domain = name.TrimStart('*').TrimStart('.');
            if (host.Equals(name, StringComparison.OrdinalIgnoreCase)
                || (!isAddress && domain.Length > 0
                    && (host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase)
                        || (!name.StartsWith('.') && host.Equals(domain, StringComparison.OrdinalIgnoreCase)))))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Lower case first, as curl and Go do.</summary>
    private static string? Read(Func<string, string?> environment, string name)
    {
        string? value = environment(name.ToLowerInvariant());
        value = string.IsNullOrEmpty(value) ? environment(name) : value;
        return string.IsNullOrEmpty(value) ? null : value;
    }

    private static Uri? Parse(string variable, string? value)
    {
        if (value is null)
        {
            return null;
        }

        string text = value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value;
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? proxy) && proxy.Scheme is "http" or "https" or "socks5"
            ? proxy
            : throw new RegistryException(
                RegistryError.Configuration, $"{variable}: expected the URL of a proxy such as http://proxy.example:3128");
    }
}
