namespace Hull.Images;

/// <summary>Limits against hostile content, and switches for tests.</summary>
public sealed record ImageStoreOptions
{
    /// <summary>The largest uncompressed layer, bytes.</summary>
    public long MaxLayerBytes { get; init; } = 128L << 30;

    /// <summary>How many bytes one compressed byte may become, on average over a layer of more than
    /// <see cref="ExpansionFloorBytes"/>. Layers of programs expand 2 to 5 times, of text 20, of zeros 1,030 by gzip and
    /// without bound by zstd.</summary>
    public int MaxExpansion { get; init; } = 200;

    /// <summary>Below this no expansion is a bomb: the disk holds it.</summary>
    public long ExpansionFloorBytes { get; init; } = 1L << 30;

    /// <summary>The most entries of one layer. Each costs an inode.</summary>
    public int MaxLayerEntries { get; init; } = 5_000_000;

    /// <summary>Sync what is committed to disk. False only for tests.</summary>
    public bool Sync { get; init; } = true;
}
