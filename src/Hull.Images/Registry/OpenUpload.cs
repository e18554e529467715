namespace Hull.Images.Registry;

/// <summary>An upload that a registry has begun.</summary>
/// <param name="Location">Where the next bytes go.</param>
/// <param name="MinimumChunk">How many bytes each piece but the last is to have at least (OCI-Chunk-Min-Length); 0 where it did not say.</param>
internal sealed record OpenUpload(Uri Location, long MinimumChunk)
{
    /// <summary>Bytes that the registry has of the blob.</summary>
    public long Received { get; init; }
}
