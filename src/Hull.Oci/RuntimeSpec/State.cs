namespace Hull.Oci.RuntimeSpec;

/// <summary>What <c>state</c> prints and hooks read on standard input (runtime.md, "State").</summary>
public sealed record State
{
    public required string OciVersion { get; init; }
    public required string Id { get; init; }
    /// <summary><c>creating created running stopped</c>, and runc's <c>paused</c>.</summary>
    public required string Status { get; init; }
    /// <summary>Absent once stopped.</summary>
    public int? Pid { get; init; }
    public required string Bundle { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
