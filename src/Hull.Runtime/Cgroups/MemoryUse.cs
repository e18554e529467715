namespace Hull.Runtime.Cgroups;

/// <summary>One kind of memory of a container.</summary>
/// <param name="Usage">Bytes.</param>
/// <param name="Peak">The most bytes that were in use.</param>
/// <param name="Failures">How often the limit was hit.</param>
/// <param name="Limit">Null where unlimited.</param>
public sealed record MemoryUse(ulong? Usage, ulong? Peak, ulong? Failures, ulong? Limit);
