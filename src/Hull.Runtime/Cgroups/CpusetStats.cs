namespace Hull.Runtime.Cgroups;

/// <summary>A container's place on the machine (cpuset(7)).</summary>
/// <param name="Processors">The numbers of those it may use.</param>
/// <param name="MemoryNodes">Likewise.</param>
/// <param name="Flags">The files of v1 without their <c>cpuset.</c>, with the numbers in them; empty on v2, which has none of them.</param>
public sealed record CpusetStats(IReadOnlyList<int> Processors, IReadOnlyList<int> MemoryNodes, IReadOnlyDictionary<string, string> Flags);
