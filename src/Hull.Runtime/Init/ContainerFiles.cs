using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The files of a container as its processes saw them, for words about a failure: the root that the parent holds,
/// and the host directories bound over it, which only the dead child had mounted.</summary>
internal readonly struct ContainerFiles(SafeFileHandle root, IReadOnlyList<Mount>? mounts)
{
    private const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <summary>Opens an absolute path of the container; null where there is nothing, or no way to it.</summary>
    public SafeFileHandle? Open(string path, OpenFlags flags)
    {
        // The last of the mounts at or above the path hides the others.
        for (int index = (mounts?.Count ?? 0) - 1; index >= 0; index--)
        {
            Mount mount = mounts![index];
            string destination = mount.Destination.TrimEnd('/');
            if (mount.Source is { Length: > 0 } source && mount.IsBind
                && (path == destination || path.StartsWith(destination + "/", StringComparison.Ordinal)))
            {
                return OpenBound(source, path[destination.Length..].TrimStart('/'), flags);
            }
        }

        return path.Length < 2 ? null : Files.TryOpenBeneath(root, path.TrimStart('/'), flags, 0, Inside, out _);
    }

    private static SafeFileHandle? OpenBound(string source, string rest, OpenFlags flags)
    {
        if (rest.Length == 0)
        {
            return Files.TryOpenAt(null, source, flags, 0, out _);
        }

        using SafeFileHandle? directory = Files.TryOpenAt(null, source, OpenFlags.Path, 0, out _);
        return directory is null ? null : Files.TryOpenBeneath(directory, rest, flags, 0, Inside, out _);
    }
}
