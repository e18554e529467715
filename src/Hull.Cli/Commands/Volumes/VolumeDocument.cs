using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Engine.Volumes;

namespace Hull.Cli.Commands.Volumes;

/// <summary>A volume's <c>inspect</c>, in the shape of Docker's API (<c>Volume</c>).</summary>
internal static class VolumeDocument
{
    public const string Driver = "local";
    public const string Scope = "local";

    public static JsonObject Of(VolumeStore volumes, VolumeRecord volume)
    {
        JsonObject? labels = null;
        foreach ((string key, string value) in volume.Labels ?? new Dictionary<string, string>())
        {
            labels ??= [];
            labels[key] = value;
        }

        return new JsonObject
        {
            ["CreatedAt"] = volume.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["Driver"] = Driver,
            ["Labels"] = labels,
            ["Mountpoint"] = volumes.DataDirectory(volume.Name),
            ["Name"] = volume.Name,
            ["Options"] = null,
            ["Scope"] = Scope,
        };
    }
}
