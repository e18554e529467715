namespace Hull.Images;

/// <summary>What kind of failure an image operation met; a front end turns it into an exit code or a status.</summary>
public enum ImageError
{
    /// <summary>No such image, archive member or blob.</summary>
    NotFound,

    /// <summary>The user's words are wrong: a reference, an option, an ambiguous prefix.</summary>
    Invalid,

    /// <summary>In use, or referenced more than once.</summary>
    Conflict,

    /// <summary>Content that is truncated, corrupt, hostile or beyond a limit.</summary>
    Corrupt,

    /// <summary>The host lacks something: a codec library, disk space, a privilege.</summary>
    Host,
}

/// <summary>An image operation that failed, in words that a person can act on.</summary>
public sealed class ImageException(ImageError kind, string message, Exception? inner = null) : Exception(message, inner)
{
    public ImageError Kind { get; } = kind;
}
