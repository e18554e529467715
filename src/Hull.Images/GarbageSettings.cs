using System.Text.Json.Serialization;
using Hull.Images.Registry;

namespace Hull.Images;

/// <summary>The part of <c>/etc/hull/config.json</c> that says which unused images <c>system gc</c> removes. Off where it is not there.</summary>
public sealed record GarbageSettings
{
    /// <summary>Images go while the data root's file system is at least so full: <c>80%</c>.</summary>
    [JsonPropertyName("disk-threshold")]
    public string? DiskThreshold { get; init; }

    /// <summary>Images go that have been in the store so long: <c>168h</c>.</summary>
    [JsonPropertyName("min-age")]
    public string? MinAge { get; init; }

    /// <summary>The settings of the file that <c>HULL_CONFIG</c> names, else of <see cref="RegistrySettings.DefaultFile"/>, which need not be there.</summary>
    /// <exception cref="RegistryException">The file is not JSON of this form.</exception>
    /// <exception cref="ImageException">Invalid: HULL_CONFIG names no file.</exception>
    public static GarbageSettings Load()
    {
        string? chosen = Environment.GetEnvironmentVariable("HULL_CONFIG") is { Length: > 0 } named ? named : null;
        GarbageSettingsFile? file = ConfigurationFile.Read(chosen ?? RegistrySettings.DefaultFile, GarbageSettingsJson.Default.GarbageSettingsFile);
        return file is null && chosen is not null
            ? throw new ImageException(ImageError.Invalid, $"{chosen}: no such file (it is named by HULL_CONFIG)")
            : file?.ImageGarbage ?? new GarbageSettings();
    }
}

/// <summary>The file's own form.</summary>
internal sealed record GarbageSettingsFile
{
    [JsonPropertyName("image-gc")]
    public GarbageSettings? ImageGarbage { get; init; }
}

[JsonSerializable(typeof(GarbageSettingsFile))]
internal sealed partial class GarbageSettingsJson : JsonSerializerContext;
