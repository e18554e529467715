using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hull.Images.Registry;

/// <summary>The body of a failed request (distribution-spec, "Error Codes").</summary>
internal sealed record ErrorBody
{
    public IReadOnlyList<ErrorEntry>? Errors { get; init; }
}

/// <summary>One error. <c>detail</c> is free-form and not read.</summary>
internal sealed record ErrorEntry
{
    public string? Code { get; init; }

    public string? Message { get; init; }
}

/// <summary>A page of a repository's tags (distribution-spec, "Listing Tags").</summary>
internal sealed record TagListBody
{
    public IReadOnlyList<string?>? Tags { get; init; }
}

/// <summary>A page of a registry's repositories (Docker Registry HTTP API V2, "Catalog").</summary>
internal sealed record CatalogBody
{
    public IReadOnlyList<string?>? Repositories { get; init; }
}

/// <summary>What Docker Hub's <c>/v1/search</c> answers.</summary>
internal sealed record SearchBody
{
    public IReadOnlyList<SearchEntry?>? Results { get; init; }
}

/// <summary>One repository that was found.</summary>
internal sealed record SearchEntry
{
    public string? Name { get; init; }

    public string? Description { get; init; }

    [JsonPropertyName("is_official")]
    public bool IsOfficial { get; init; }

    [JsonPropertyName("is_automated")]
    public bool IsAutomated { get; init; }

    [JsonPropertyName("star_count")]
    public long StarCount { get; init; }
}

/// <summary>The answer of a token server: <c>token</c> and <c>access_token</c> mean the same (distribution, "Token
/// Authentication").</summary>
internal sealed class TokenBody
{
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    /// <summary>Lasts until it is revoked; only where it was asked for.</summary>
    [JsonPropertyName("refresh_token")]
    public string? RefreshToken { get; init; }

    /// <summary>Seconds; 60 where absent.</summary>
    [JsonPropertyName("expires_in")]
    public int? ExpiresIn { get; init; }
}

/// <summary>The part of docker's <c>config.json</c> that concerns registries. Its own spelling is camel case; <c>auths</c>
/// entries are all lower case.</summary>
internal sealed class DockerConfigBody
{
    public Dictionary<string, DockerAuthBody?>? Auths { get; init; }

    public string? CredsStore { get; init; }

    public Dictionary<string, string?>? CredHelpers { get; init; }
}

/// <summary>One entry of <c>auths</c>. A class, for a record would print its secrets.</summary>
internal sealed class DockerAuthBody
{
    /// <summary>base64 of <c>user:password</c>.</summary>
    public string? Auth { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }

    [JsonPropertyName("registrytoken")]
    public string? RegistryToken { get; init; }
}

/// <summary>What <c>docker-credential-x get</c> prints and <c>store</c> reads.</summary>
internal sealed class CredentialHelperBody
{
    [JsonPropertyName("ServerURL")]
    public string? Server { get; init; }

    [JsonPropertyName("Username")]
    public string? Username { get; init; }

    [JsonPropertyName("Secret")]
    public string? Secret { get; init; }
}

/// <summary>The part of <c>/etc/hull/config.json</c> that concerns registries, in daemon.json's spelling.</summary>
internal sealed record HullConfigBody
{
    [JsonPropertyName("insecure-registries")]
    public IReadOnlyList<string>? InsecureRegistries { get; init; }

    [JsonPropertyName("registry-mirrors")]
    public JsonElement? RegistryMirrors { get; init; }

    [JsonPropertyName("trusted-token-servers")]
    public Dictionary<string, IReadOnlyList<string>>? TrustedTokenServers { get; init; }

    [JsonPropertyName("registry-timeout")]
    public string? Timeout { get; init; }

    [JsonPropertyName("registry-attempts")]
    public int? Attempts { get; init; }
}

/// <summary>The wire family of registries and of the configuration files that name them.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(TagListBody))]
[JsonSerializable(typeof(CatalogBody))]
[JsonSerializable(typeof(SearchBody))]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(DockerConfigBody))]
[JsonSerializable(typeof(CredentialHelperBody))]
[JsonSerializable(typeof(HullConfigBody))]
internal sealed partial class RegistryJson : JsonSerializerContext;
