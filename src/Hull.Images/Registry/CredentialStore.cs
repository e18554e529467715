using System.Buffers.Text;
using System.Text;

namespace Hull.Images.Registry;

/// <summary>Credentials as docker keeps them: <c>config.json</c> with <c>credHelpers</c>, <c>credsStore</c> and
/// <c>auths</c>, asked in that order. Thread-safe; the file is read once, at the first question.</summary>
/// <remarks>A helper that fails ends the pull. Falling through to another source would send one registry's secret in
/// answer to another's question (CVE-2021-41092).</remarks>
internal sealed class CredentialStore(string? directory, Func<string, string, CredentialHelperResult>? runHelper = null)
{
    /// <summary>docker's protocol of helpers: this user name marks an OAuth2 refresh token.</summary>
    public const string TokenUser = "<token>";

    /// <summary>docker's key for Docker Hub.</summary>
    private const string HubKey = "https://index.docker.io/v1/";

    private readonly Func<string, string, CredentialHelperResult> _runHelper = runHelper ?? new CredentialHelper().Get;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RegistryCredential?> _answers = new(StringComparer.OrdinalIgnoreCase);
    private DockerConfigBody? _config;

    /// <summary>The file the credentials come from, for messages.</summary>
    public string? File => directory is null ? null : Path.Combine(directory, "config.json");

    /// <summary>A store of one credential, which is in no file.</summary>
    public static CredentialStore Of(string domain, RegistryCredential credential)
    {
        CredentialStore store = new(directory: null);
        store._answers.Add(domain, credential);
        return store;
    }

    /// <summary>The key of a registry in docker's file and for its helpers.</summary>
    public static string KeyOf(string domain) => domain is "docker.io" or "registry-1.docker.io" or "index.docker.io" ? HubKey : domain;

    /// <summary>The credential for a registry's domain (<c>docker.io</c>, <c>host:port</c>); null for none.</summary>
    /// <exception cref="RegistryException">A credential helper failed.</exception>
    /// <exception cref="RegistryException">Configuration: The file is malformed.</exception>
    public RegistryCredential? Find(string domain)
    {
        lock (_lock)
        {
            if (!_answers.TryGetValue(domain, out RegistryCredential? answer))
            {
                answer = Ask(domain);
                _answers.Add(domain, answer);
            }

            return answer;
        }
    }

    private RegistryCredential? Ask(string domain)
    {
        if (File is not string file)
        {
            return null;
        }

        _config ??= ConfigurationFile.Read(file, RegistryJson.Default.DockerConfigBody) ?? new DockerConfigBody();
        string key = KeyOf(domain);
        if (HelperOf(_config, key, domain, file) is string helper)
        {
            return FromHelper(helper, key);
        }

        if (_config.Auths is null)
        {
            return null;
        }

        if (_config.Auths.TryGetValue(key, out DockerAuthBody? exact) && exact is not null)
        {
            return FromEntry(exact, key, file);
        }

        foreach ((string name, DockerAuthBody? entry) in _config.Auths)
        {
            if (entry is not null && HostOfKey(name).Equals(HostOfKey(key), StringComparison.OrdinalIgnoreCase))
            {
                return FromEntry(entry, name, file);
            }
        }

        return null;
    }

    /// <summary>The helper that keeps a registry's credential; null where the file does.</summary>
    /// <exception cref="RegistryException">Configuration: not the name of a helper.</exception>
    public static string? HelperOf(DockerConfigBody config, string key, string domain, string file)
    {
        string? helper = string.IsNullOrEmpty(config.CredsStore) ? null : config.CredsStore;
        foreach ((string name, string? own) in config.CredHelpers ?? [])
        {
            if (name.Equals(key, StringComparison.OrdinalIgnoreCase) || name.Equals(domain, StringComparison.OrdinalIgnoreCase))
            {
                helper = own ?? "";
                break;
            }
        }

        // The name becomes part of a program's name that is looked up in PATH.
        return helper is null || (helper.Length > 0 && helper.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            ? helper
            : throw new RegistryException(RegistryError.Configuration, $"{file}: '{helper}' is not the name of a credential helper");
    }

    public static RegistryException HelperFailed(string helper, string key, string failure, string? file) => new(
        RegistryError.Unauthorized, $"credentials for {key}: docker-credential-{helper} failed: {failure} (it is named in {file})");

    private RegistryCredential? FromHelper(string helper, string key)
    {
        CredentialHelperResult result = _runHelper(helper, key);
        if (result.Failure is not null)
        {
            throw HelperFailed(helper, key, result.Failure, File);
        }

        return result.Secret is null ? null : result.User switch
        {
            TokenUser => new RegistryCredential.IdentityToken(result.Secret),
            null => null,
            string user => new RegistryCredential.Password(user, result.Secret),
        };
    }

    private static RegistryCredential? FromEntry(DockerAuthBody entry, string name, string file)
    {
        if (!string.IsNullOrEmpty(entry.IdentityToken))
        {
            return new RegistryCredential.IdentityToken(entry.IdentityToken);
        }

        if (!string.IsNullOrEmpty(entry.RegistryToken))
        {
            return new RegistryCredential.RegistryToken(entry.RegistryToken);
        }

        if (!string.IsNullOrEmpty(entry.Auth))
        {
            string? decoded = Decode(entry.Auth);
            int colon = decoded?.IndexOf(':', StringComparison.Ordinal) ?? -1;
            return colon > 0
                ? new RegistryCredential.Password(decoded![..colon], decoded[(colon + 1)..].TrimEnd('\0'))
                : throw new RegistryException(RegistryError.Configuration, $"{file}: auths.\"{name}\".auth is not base64 of user:password");
        }

        return string.IsNullOrEmpty(entry.Username) ? null : new RegistryCredential.Password(entry.Username, entry.Password ?? "");
    }

    private static string? Decode(string base64)
    {
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    /// <summary>Old entries are URLs: <c>https://host/v1/</c>.</summary>
    internal static string HostOfKey(string key)
    {
        int scheme = key.IndexOf("://", StringComparison.Ordinal);
        string rest = scheme < 0 ? key : key[(scheme + 3)..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? rest : rest[..slash];
    }
}
