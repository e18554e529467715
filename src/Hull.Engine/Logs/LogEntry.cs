namespace Hull.Engine.Logs;

/// <summary>One entry of a log; its text is valid until the reader moves on.</summary>
public readonly ref struct LogEntry
{
    public required LogStream Stream { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime Time { get; init; }

    /// <summary>The bytes as stored, with their line feed unless the entry is a part of a line.</summary>
    public required ReadOnlySpan<byte> Text { get; init; }
}
