using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>How registries are reached: what may be plain HTTP, which mirrors stand before Docker Hub, and where
/// certificates and credentials are. Immutable.</summary>
public sealed record RegistrySettings
{
    /// <summary>Where the machine's settings are: docker's daemon.json keys <c>insecure-registries</c> and
    /// <c>registry-mirrors</c> (a list for Docker Hub, or hull's own form, an object: registry to list), and hull's own <c>trusted-token-servers</c>
    /// (an object: registry to list of hosts), <c>registry-timeout</c> (<c>60s</c>) and <c>registry-attempts</c>.</summary>
    public const string DefaultFile = "/etc/hull/config.json";

    /// <summary>Hosts (<c>host</c> or <c>host:port</c>) and address ranges (<c>10.0.0.0/8</c>) that may be spoken to
    /// without a verified certificate or without TLS. Loopback addresses always may.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>Base URLs asked before Docker Hub, in order.</summary>
    public IReadOnlyList<Uri> Mirrors { get; init; } = [];

    /// <summary>Base URLs asked before other registries, by the domain of image names.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Uri>> RegistryMirrors { get; init; } = new Dictionary<string, IReadOnlyList<Uri>>();

    /// <summary>Directories with a subdirectory a registry (<c>host:port</c>) holding <c>*.crt</c> authorities and
    /// <c>*.cert</c>/<c>*.key</c> client pairs; the first directory that has the registry wins.</summary>
    public IReadOnlyList<string> CertificateDirectories { get; init; } = ["/etc/hull/certs.d", "/etc/docker/certs.d"];

    /// <summary>Token servers (<c>host:port</c>, https) on other hosts that get the credentials of a registry's domain.
    /// Those on the registry's own host and in its own domain need no entry.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> TrustedTokenServers { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>How long a registry may be silent, or take nothing, before an exchange counts as failed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many attempts a transfer has that makes no progress. Five, as docker's.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The directory of docker's <c>config.json</c> with the credentials; null for none.</summary>
    public string? DockerConfigDirectory { get; init; }

    /// <summary>The settings of the file (<c>HULL_CONFIG</c>, else <see cref="DefaultFile"/>; a missing default file is
    /// empty), to which the comma lists of <c>HULL_INSECURE_REGISTRIES</c>, <c>HULL_REGISTRY_MIRRORS</c> and
    /// <c>HULL_CERTS_DIR</c> add; <c>HULL_REGISTRY_TIMEOUT</c> and <c>HULL_REGISTRY_ATTEMPTS</c> replace.</summary>
    /// <param name="environment">Reads a variable; null for the process environment.</param>
    /// <exception cref="RegistryException">Configuration: A file or a value is malformed.</exception>
    public static RegistrySettings Load(Func<string, string?>? environment = null)
    {
        Func<string, string?> read = environment ?? Environment.GetEnvironmentVariable;
        string? chosen = NonEmpty(read("HULL_CONFIG"));
        HullConfigBody? body = ConfigurationFile.Read(chosen ?? DefaultFile, RegistryJson.Default.HullConfigBody);
        if (body is null && chosen is not null)
        {
            throw new RegistryException(RegistryError.Configuration, $"{chosen}: no such file, or an empty one (it is named by HULL_CONFIG)");
        }

        IEnumerable<string> insecure = [.. body?.InsecureRegistries ?? [], .. List(read("HULL_INSECURE_REGISTRIES"))];
        Dictionary<string, IReadOnlyList<Uri>> mirrors = ParseMirrors(body?.RegistryMirrors);
        mirrors.Remove(ImageReference.DefaultDomain, out IReadOnlyList<Uri>? hub);
        string? home = NonEmpty(read("HOME"));
        RegistrySettings defaults = new();
        return defaults with
        {
            CertificateDirectories = [.. List(read("HULL_CERTS_DIR")), .. defaults.CertificateDirectories],
            InsecureRegistries = [.. insecure.Select(CheckInsecure)],
            Mirrors = [.. hub ?? [], .. List(read("HULL_REGISTRY_MIRRORS")).Select(ParseMirror)],
            RegistryMirrors = mirrors,
            TrustedTokenServers = body?.TrustedTokenServers ?? [],
            Timeout = ParseTimeout(NonEmpty(read("HULL_REGISTRY_TIMEOUT")) ?? body?.Timeout) ?? defaults.Timeout,
            Attempts = ParseAttempts(NonEmpty(read("HULL_REGISTRY_ATTEMPTS")) ?? body?.Attempts?.ToString(CultureInfo.InvariantCulture)) ?? defaults.Attempts,
            DockerConfigDirectory = NonEmpty(read("DOCKER_CONFIG")) ?? (home is null ? null : Path.Combine(home, ".docker")),
        };
    }

    /// <summary>True where plain HTTP and unverified certificates are allowed: loopback, or configured.</summary>
    /// <remarks>Only the name itself is judged. A name that merely resolves to a loopback or listed address is not
    /// insecure: whoever answers DNS would decide over TLS.</remarks>
    /// <param name="authority">Host, or host and port, as in a URL.</param>
    public bool IsInsecure(string authority)
    {
        string host = HostOf(authority);
        if (IsLoopback(host))
        {
            return true;
        }

        bool isAddress = IPAddress.TryParse(host, out IPAddress? address);
        foreach (string entry in InsecureRegistries)
        {
            if (entry.Equals(authority, StringComparison.OrdinalIgnoreCase)
                || entry.Equals(host, StringComparison.OrdinalIgnoreCase)
                || (isAddress && IPNetwork.TryParse(entry, out IPNetwork network) && network.Contains(address!)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The mirrors of a registry, by the domain of image names.</summary>
    internal IReadOnlyList<Uri> MirrorsOf(string domain) =>
        domain == ImageReference.DefaultDomain ? Mirrors : RegistryMirrors.GetValueOrDefault(domain) ?? [];

    /// <summary>As the other overload; a URL drops the port that its scheme implies, an entry may name it.</summary>
    internal bool IsInsecure(Uri url) => IsInsecure(url.Authority) || IsInsecure($"{url.Host}:{url.Port}");

    /// <summary>The host without port and brackets.</summary>
    internal static string HostOf(string authority)
    {
        if (authority.StartsWith('['))
        {
            return authority[1..authority.IndexOf(']', StringComparison.Ordinal)];
        }

        int colon = authority.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || authority.LastIndexOf(':') != colon ? authority : authority[..colon];
    }

    /// <summary><c>localhost</c> and the loopback addresses; not names that resolve to them.</summary>
    internal static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address)
            && (address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
            && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address));

    private static string CheckInsecure(string entry) =>
        entry.Length == 0
        || entry.Contains("://", StringComparison.Ordinal)
        || (entry.Contains('/') && !IPNetwork.TryParse(entry, out _))
            ? throw new RegistryException(
                RegistryError.Configuration,
                $"insecure registry '{entry}': expected host, host:port or an address range such as 10.0.0.0/8")
            : entry;

    /// <summary>Docker's list, or an object of lists.</summary>
    private static Dictionary<string, IReadOnlyList<Uri>> ParseMirrors(JsonElement? value)
    {
        Dictionary<string, IReadOnlyList<Uri>> mirrors = new(StringComparer.OrdinalIgnoreCase);
        switch (value?.ValueKind)
        {
            case null or JsonValueKind.Null:
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty registry in value.Value.EnumerateObject())
                {
                    mirrors[registry.Name] = Uris(registry.Value);
                }

                break;
            default:
                mirrors[ImageReference.DefaultDomain] = Uris(value.Value);
                break;
        }

        return mirrors;
    }

    private static IReadOnlyList<Uri> Uris(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(item => ParseMirror(item.GetString()!))]
            : throw new RegistryException(
                RegistryError.Configuration,
                "registry-mirrors: expected a list of URLs, or an object of them such as {\"quay.io\": [\"https://mirror.example\"]}");

    private static Uri ParseMirror(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
        && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0
            ? url
            : throw new RegistryException(
                RegistryError.Configuration, $"registry mirror '{text}': expected a URL such as https://mirror.example");

    private static TimeSpan? ParseTimeout(string? text) =>
        text is null ? null
        : GoDuration.TryParse(text, out TimeSpan limit) && limit >= TimeSpan.FromMilliseconds(1) && limit <= TimeSpan.FromDays(1) ? limit
        : throw new RegistryException(RegistryError.Configuration, $"registry timeout '{text}': expected a duration up to 24h, such as 60s or 5m");

    private static int? ParseAttempts(string? text) =>
        text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int attempts) && attempts is >= 1 and <= 100 ? attempts
        : throw new RegistryException(RegistryError.Configuration, $"registry attempts '{text}': expected a number from 1 to 100");

    private static string[] List(string? value) =>
        value?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static string? NonEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
