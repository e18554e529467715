namespace Hull.Engine.Containers;

/// <summary>What <c>create</c> and <c>run</c> ask the engine for; the front end has parsed, the engine validates.</summary>
public sealed record CreateRequest
{
    /// <summary>Image reference, id or unique id prefix.</summary>
    public required string Image { get; init; }
    /// <summary>Null: a generated name.</summary>
    public string? Name { get; init; }
    public PayloadConfig Payload { get; init; } = new();
    public HostConfig Host { get; init; } = new();
}
