using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>One place to ask for an image: the base URL, and the domain whose credentials belong there.</summary>
internal sealed record RegistryEndpoint(Uri Base, string Domain, bool IsMirror)
{
    /// <summary>Docker Hub's API is not at the domain of its names.</summary>
    private const string HubHost = "registry-1.docker.io";

    /// <summary>The places to ask for images of <paramref name="domain"/>, in order: its mirrors first, and plain HTTP after
    /// HTTPS where the settings allow it at all. There is no other way to HTTP (CVE-2014-5277).</summary>
    /// <param name="hasCertificates">Whether an administrator gave this registry certificates: then TLS is meant, and
    /// HTTP is not tried.</param>
    public static IReadOnlyList<RegistryEndpoint> For(string domain, RegistrySettings settings, Func<string, bool> hasCertificates)
    {
        RegistryEndpoint secure = new(
            new Uri($"https://{(domain == ImageReference.DefaultDomain ? HubHost : domain)}/"), domain, IsMirror: false);
        IReadOnlyList<RegistryEndpoint> own = settings.IsInsecure(domain) && !hasCertificates(domain)
            ? [secure, secure with { Base = new Uri($"http://{domain}/") }]
            : [secure];
        return [.. settings.MirrorsOf(domain).Select(mirror => new RegistryEndpoint(Slashed(mirror), mirror.Authority, IsMirror: true)), .. own];
    }

    /// <summary>The URL of a path under <c>/v2/</c>.</summary>
    public Uri Url(string path) => new(Base, "v2/" + path);

    private static Uri Slashed(Uri url) => url.AbsoluteUri.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");
}
