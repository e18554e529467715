using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>A layer, and one of the forms in which it is stored or sent.</summary>
/// <param name="DiffId">The hash of its uncompressed tar.</param>
/// <param name="Blob">As a manifest names it.</param>
internal sealed record LayerBlob(Digest DiffId, Descriptor Blob);
