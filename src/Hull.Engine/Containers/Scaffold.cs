using Hull.Linux;

namespace Hull.Engine.Containers;

/// <summary>What hull itself puts into a container's writable layer: places for its mounts, where the image has none. Docker keeps
/// such things in a layer of their own, so that no image is made of them.</summary>
internal static class Scaffold
{
    private static readonly byte[][] Directories = ["dev"u8.ToArray(), "etc"u8.ToArray(), "proc"u8.ToArray(), "sys"u8.ToArray()];

    private static readonly byte[][] EmptyFiles =
    [
        ".dockerenv"u8.ToArray(), "etc/hostname"u8.ToArray(), "etc/hosts"u8.ToArray(), "etc/resolv.conf"u8.ToArray(),
    ];

    /// <param name="path">Without a leading slash.</param>
    public static bool Is(byte[] path, FileMetadata metadata) => metadata.Type switch
    {
        FileType.Directory => Has(Directories, path),
        FileType.Regular => metadata.Size == 0 && Has(EmptyFiles, path),
        _ => false,
    };

    private static bool Has(byte[][] paths, byte[] path)
    {
        foreach (byte[] known in paths)
        {
            if (path.AsSpan().SequenceEqual(known))
            {
                return true;
            }
        }

        return false;
    }
}
