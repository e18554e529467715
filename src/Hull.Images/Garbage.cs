using Hull.Oci;

namespace Hull.Images;

/// <summary>What neither an image nor a container has.</summary>
/// <param name="Layers">The chainIDs of unpacked layers.</param>
/// <param name="Blobs">The digests of blobs.</param>
/// <param name="Bytes">Of the files of both.</param>
public sealed record Garbage(IReadOnlyList<Digest> Layers, IReadOnlyList<Digest> Blobs, long Bytes);
