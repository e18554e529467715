namespace Hull.Images.Registry;

/// <summary>What a person can do about a failed exchange with a registry.</summary>
public enum RegistryError
{
    /// <summary>The registry knows no such repository, tag or blob, or will not say so.</summary>
    NotFound,

    /// <summary>Credentials are missing, wrong, or do not suffice.</summary>
    Unauthorized,

    /// <summary>Too many requests; try later or log in.</summary>
    RateLimited,

    /// <summary>No connection, no TLS session, or no answer in time.</summary>
    Unreachable,

    /// <summary>What came is not what was named: a digest, a size or a media type is wrong.</summary>
    Corrupt,

    /// <summary>A well-formed answer that hull does not run: a schema 1 manifest, an artifact, another platform.</summary>
    Unsupported,

    /// <summary>A configuration or certificate file of this machine is wrong.</summary>
    Configuration,

    /// <summary>The registry failed or broke the protocol.</summary>
    Server,
}

/// <summary>A failed exchange with a registry. Carries the request and what was answered, never a token, a password or
/// the query of a signed URL.</summary>
public sealed class RegistryException : Exception
{
    public RegistryException(RegistryError kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    public RegistryError Kind { get; }

    /// <summary>The HTTP method; null where no request was made.</summary>
    public string? Method { get; init; }

    /// <summary>The URL without user, query and fragment; null where no request was made.</summary>
    public string? Url { get; init; }

    /// <summary>The HTTP status; null where no answer came.</summary>
    public int? Status { get; init; }

    /// <summary>The distribution-spec's error code, such as MANIFEST_UNKNOWN; null where the answer had none.</summary>
    public string? Code { get; init; }

    /// <summary>A connection that was made and then broke: asking again may help.</summary>
    internal bool MayPass { get; init; }

    /// <summary>How long the answer asked to wait; null where it did not.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>The same failure in the words of a wider context.</summary>
    internal RegistryException With(string message, RegistryError? kind = null) => new(kind ?? Kind, message, this)
    {
        Method = Method,
        Url = Url,
        Status = Status,
        Code = Code,
        MayPass = MayPass,
        RetryAfter = RetryAfter,
    };

    /// <summary>A URL fit for a message: signed URLs carry their secret in the query.</summary>
    internal static string Redact(Uri url) =>
        url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}
