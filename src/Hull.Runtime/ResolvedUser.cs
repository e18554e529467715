namespace Hull.Runtime;

/// <summary>The numbers a payload runs as.</summary>
public sealed record ResolvedUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids);
