namespace Hull.Runtime.Cgroups;

/// <summary>What one block device did for a container.</summary>
/// <param name="Operation"><c>Read</c> or <c>Write</c>; v1 knows more: <c>Sync Async Discard Total</c>.</param>
public readonly record struct BlockCount(ulong Major, ulong Minor, string Operation, ulong Value);
