using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Engine.Containers;

/// <summary>What a container takes from its image.</summary>
/// <param name="Layers">Chain ids, bottom first.</param>
public sealed record ImageFacts(Digest Id, IReadOnlyList<Digest> Layers, ImageDefaults? Defaults);
