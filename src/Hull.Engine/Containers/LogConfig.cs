namespace Hull.Engine.Containers;

/// <summary>--log-driver and --log-opt. Null driver: <c>json-file</c>, rotated at 10 MB × 3.</summary>
public sealed record LogConfig
{
    /// <summary><c>json-file</c> or <c>none</c>.</summary>
    public string? Driver { get; init; }
    /// <summary><c>max-size</c>, <c>max-file</c>, <c>compress</c>, <c>labels</c>, <c>env</c>, <c>tag</c>.</summary>
    public IReadOnlyDictionary<string, string>? Options { get; init; }
}
