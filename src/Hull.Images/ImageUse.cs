using Hull.Oci;

namespace Hull.Images;

/// <summary>A container's hold on an image.</summary>
/// <param name="ChainIds">The layers below the container, which stay even if the image is removed by force.</param>
public sealed record ImageUse(string ContainerId, Digest ImageId, IReadOnlyList<Digest> ChainIds, bool IsRunning);
