namespace Hull.Images.Diffing;

/// <summary>What became of a path of the layers below.</summary>
public enum ChangeKind
{
    Modified,
    Added,
    Deleted,
}

/// <summary>A path that a container, or another image, has changed.</summary>
/// <param name="Path">Bytes, without a leading slash.</param>
public sealed record PathChange(ChangeKind Kind, byte[] Path);
