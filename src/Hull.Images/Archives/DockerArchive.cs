using System.Text.Json.Serialization;

namespace Hull.Images.Archives;

/// <summary>One image of a docker archive's <c>manifest.json</c>.</summary>
internal sealed record DockerArchiveImage
{
    /// <summary>The name of the configuration's file in the archive.</summary>
    public string? Config { get; init; }

    public IReadOnlyList<string>? RepoTags { get; init; }

    /// <summary>The names of the layers' files, bottom first.</summary>
    public IReadOnlyList<string>? Layers { get; init; }
}

/// <summary>The wire form: names as Go has them.</summary>
[JsonSourceGenerationOptions(MaxDepth = 32)]
[JsonSerializable(typeof(IReadOnlyList<DockerArchiveImage>))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, string>>))]
internal sealed partial class DockerArchiveJson : JsonSerializerContext;
