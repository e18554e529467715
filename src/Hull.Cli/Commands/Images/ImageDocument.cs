using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Images;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary>The document of <c>inspect</c> for an image, in the shape of Docker's API.</summary>
internal static class ImageDocument
{
    public static JsonObject Of(ImageStore store, Image image)
    {
        ImageConfig config = image.Config;
        return new JsonObject
        {
            ["Id"] = image.Id.ToString(),
            ["RepoTags"] = Texts(image.RepoTags),
            ["RepoDigests"] = Texts(image.RepoDigests),
            ["Parent"] = "",
            ["Comment"] = config.Comment ?? "",
            ["Created"] = image.Created.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z",
            ["DockerVersion"] = "",
            ["Author"] = config.Author ?? "",
            ["Config"] = Defaults(config.Defaults ?? new ImageDefaults()),
            ["Architecture"] = config.Architecture,
            ["Variant"] = config.Variant ?? "",
            ["Os"] = config.Os,
            ["Size"] = image.Size,
            ["GraphDriver"] = new JsonObject { ["Data"] = Layers(store, image), ["Name"] = "overlay2" },
            ["RootFS"] = new JsonObject { ["Type"] = "layers", ["Layers"] = Texts(config.Rootfs?.DiffIds ?? []) },
            ["Metadata"] = new JsonObject { ["LastTagTime"] = "0001-01-01T00:00:00Z" },
        };
    }

    private static JsonObject Defaults(ImageDefaults defaults) => new()
    {
        ["User"] = defaults.User ?? "",
        ["ExposedPorts"] = Set(defaults.ExposedPorts),
        ["Env"] = defaults.Env is null ? null : Texts(defaults.Env),
        ["Cmd"] = defaults.Cmd is null ? null : Texts(defaults.Cmd),
        ["Volumes"] = Set(defaults.Volumes),
        ["WorkingDir"] = defaults.WorkingDirectory ?? "",
        ["Entrypoint"] = defaults.Entrypoint is null ? null : Texts(defaults.Entrypoint),
        ["Labels"] = Map(defaults.Labels),
        ["StopSignal"] = defaults.StopSignal ?? "",
    };

    private static JsonObject Layers(ImageStore store, Image image)
    {
        List<string> lower = [];
        for (int i = image.ChainIds.Count - 2; i >= 0; i--)
        {
            lower.Add(store.Layers.DirectoryOf(image.ChainIds[i]));
        }

        JsonObject data = [];
        if (lower.Count > 0)
        {
            data["LowerDir"] = string.Join(':', lower);
        }

        if (image.ChainIds.Count > 0)
        {
            data["UpperDir"] = store.Layers.DirectoryOf(image.ChainIds[^1]);
        }

        return data;
    }

    private static JsonArray Texts(IEnumerable<string> texts)
    {
        JsonArray array = [];
        foreach (string text in texts)
        {
            array.Add((JsonNode)text);
        }

        return array;
    }

    private static JsonObject? Set(IReadOnlyDictionary<string, EmptyObject>? keys)
    {
        if (keys is null)
        {
            return null;
        }

        JsonObject set = [];
        foreach (string key in keys.Keys)
        {
            set[key] = new JsonObject();
        }

        return set;
    }

    private static JsonObject? Map(IReadOnlyDictionary<string, string>? pairs)
    {
        if (pairs is null)
        {
            return null;
        }

        JsonObject map = [];
        foreach ((string key, string value) in pairs)
        {
            map[key] = value;
        }

        return map;
    }
}
