namespace Hull.Runtime;

/// <summary>Where a container's root filesystem comes from.</summary>
public abstract record RootfsSource
{
    private RootfsSource()
    {
    }

    /// <summary>A directory of the host that becomes the root as it is; what is mounted below it comes along.</summary>
    public sealed record Directory(string Path) : RootfsSource;

    /// <summary>An overlay that is mounted in the container's own mount namespace only, never on the host.</summary>
    /// <param name="Lower">Absolute layer directories, topmost first; at least one.</param>
    /// <param name="Upper">The container's writable layer.</param>
    /// <param name="Work">An empty directory on the file system of <paramref name="Upper"/>.</param>
    public sealed record Overlay(IReadOnlyList<string> Lower, string Upper, string Work) : RootfsSource;
}
