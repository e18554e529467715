using System.Text.Json.Serialization;

namespace Hull.Oci.ImageSpec;

/// <summary>The configuration of an image (config.md). Keys that are not here, such as security options, have no
/// effect (CVE-2014-6408).</summary>
public sealed record ImageConfig
{
    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }

    public string? Architecture { get; init; }

    public string? Variant { get; init; }

    public string? Os { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Docker's, set by <c>commit</c> and <c>import</c>.</summary>
    public string? Comment { get; init; }

    /// <summary>What a container starts with where the command line says nothing else.</summary>
    [JsonPropertyName("config")]
    public ImageDefaults? Defaults { get; init; }

    public ImageRootfs? Rootfs { get; init; }

    public IReadOnlyList<ImageHistory>? History { get; init; }
}

/// <summary>The <c>config</c> object of an image configuration: what a container of the image starts with.</summary>
public sealed record ImageDefaults
{
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary><c>80/tcp</c>.</summary>
    [JsonPropertyName("ExposedPorts")]
    public IReadOnlyDictionary<string, EmptyObject>? ExposedPorts { get; init; }

    /// <summary><c>NAME=value</c>.</summary>
    [JsonPropertyName("Env")]
    public IReadOnlyList<string>? Env { get; init; }

    [JsonPropertyName("Entrypoint")]
    public IReadOnlyList<string>? Entrypoint { get; init; }

    [JsonPropertyName("Cmd")]
    public IReadOnlyList<string>? Cmd { get; init; }

    /// <summary>Paths in the container; a name out of the image, so untrusted (CVE-2022-23648).</summary>
    [JsonPropertyName("Volumes")]
    public IReadOnlyDictionary<string, EmptyObject>? Volumes { get; init; }

    [JsonPropertyName("WorkingDir")]
    public string? WorkingDirectory { get; init; }

    [JsonPropertyName("Labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>Docker's: seconds.</summary>
    [JsonPropertyName("StopTimeout")]
    public int? StopTimeout { get; init; }

    [JsonPropertyName("Healthcheck")]
    public ImageHealthcheck? Healthcheck { get; init; }

    /// <summary>Docker's: the shell of the builder's shell form.</summary>
    [JsonPropertyName("Shell")]
    public IReadOnlyList<string>? Shell { get; init; }

    [JsonPropertyName("OnBuild")]
    public IReadOnlyList<string>? OnBuild { get; init; }
}

/// <summary>Docker's health check. Durations are nanoseconds; 0 or absent inherits.</summary>
public sealed record ImageHealthcheck
{
    /// <summary><c>NONE</c>, <c>CMD args…</c> or <c>CMD-SHELL line</c>.</summary>
    [JsonPropertyName("Test")]
    public IReadOnlyList<string>? Test { get; init; }

    [JsonPropertyName("Interval")]
    public long? Interval { get; init; }

    [JsonPropertyName("Timeout")]
    public long? Timeout { get; init; }

    [JsonPropertyName("StartPeriod")]
    public long? StartPeriod { get; init; }

    [JsonPropertyName("StartInterval")]
    public long? StartInterval { get; init; }

    [JsonPropertyName("Retries")]
    public int? Retries { get; init; }
}

/// <summary>The layers by the hash of their uncompressed tar.</summary>
public sealed record ImageRootfs
{
    public string? Type { get; init; }

    /// <summary>The bottom layer first.</summary>
    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<string>? DiffIds { get; init; }
}

/// <summary>How one layer came to be; informative.</summary>
public sealed record ImageHistory
{
    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    public string? Comment { get; init; }

    /// <summary>The step changed the configuration only.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }
}

/// <summary>The value of a set written as a JSON object: <c>{"80/tcp": {}}</c>.</summary>
public sealed record EmptyObject;
