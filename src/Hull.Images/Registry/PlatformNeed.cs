namespace Hull.Images.Registry;

/// <summary>How much it matters that an image is for the platform that was asked for.</summary>
internal enum PlatformNeed
{
    /// <summary>The host's, of an index; an image that is in none may be for another.</summary>
    Preferred,

    /// <summary>A person asked for it: an image for another is refused.</summary>
    Required,

    /// <summary>All of an index are wanted: where none suits, the first stands for them.</summary>
    FirstOfAll,
}
