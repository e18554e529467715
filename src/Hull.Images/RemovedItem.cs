using Hull.Oci;

namespace Hull.Images;

/// <summary>One line of <c>rmi</c>: <c>Untagged: NAME</c> or <c>Deleted: DIGEST</c>, one of them set.</summary>
public sealed record RemovedItem(string? Untagged, Digest? Deleted)
{
    public override string ToString() => Untagged is not null ? $"Untagged: {Untagged}" : $"Deleted: {Deleted}";
}
