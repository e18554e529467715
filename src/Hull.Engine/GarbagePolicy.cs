namespace Hull.Engine;

/// <summary>Which unused images go by themselves. Neither set: none.</summary>
/// <param name="DiskThreshold">They go, the longest in the store first, while the data root's file system is at least so full: 0 to 1.</param>
/// <param name="MinAge">Only those that have been in the store so long.</param>
public sealed record GarbagePolicy(double? DiskThreshold, TimeSpan? MinAge)
{
    public bool IsOff => DiskThreshold is null && MinAge is null;
}

/// <summary>What a collection removed, or would remove.</summary>
/// <param name="Images">Names or short ids of the images.</param>
/// <param name="Layers">Unpacked layers, those of the images among them.</param>
/// <param name="Blobs">Blobs, those of the images among them.</param>
/// <param name="Bytes">Of both.</param>
public sealed record Collected(IReadOnlyList<string> Images, int Layers, int Blobs, long Bytes);
