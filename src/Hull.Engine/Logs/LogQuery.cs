namespace Hull.Engine.Logs;

/// <summary>Which part of a log to read. As with Docker, the tail is taken first and the times bound what is left of it.</summary>
public sealed record LogQuery
{
    /// <summary>The last so many entries; null: all.</summary>
    public long? Tail { get; init; }

    /// <summary>Entries not older than this (UTC).</summary>
    public DateTime? Since { get; init; }

    /// <summary>Entries not younger than this (UTC).</summary>
    public DateTime? Until { get; init; }

    public bool Stdout { get; init; } = true;

    public bool Stderr { get; init; } = true;
}
