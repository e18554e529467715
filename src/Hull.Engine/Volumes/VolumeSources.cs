using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Volumes;

/// <summary>Makes what a new container's mounts need: volumes, filled from the image, and missing directories of -v.</summary>
internal static class VolumeSources
{
    /// <param name="layers">Directories of the image's layers, topmost first.</param>
    /// <param name="staging">A directory for what is needed only while the image is looked at.</param>
    public static void Prepare(ContainerConfig config, VolumeStore volumes, IReadOnlyList<string> layers, string staging)
    {
        SafeFileHandle? root = null;
        try
        {
            foreach (MountConfig mount in config.Mounts ?? [])
            {
                if (mount.Kind == MountKind.Bind)
                {
                    PrepareBind(mount);
                }
                else if (mount is { Kind: MountKind.Volume, Source: { } name })
                {
                    volumes.Ensure(name, mount.Anonymous);
                    // Of another container's volumes that one had the first use.
                    if (!mount.NoCopy && mount.Origin != MountOrigin.VolumesFrom && mount.Subpath is null && layers.Count > 0)
                    {
                        root ??= OpenRoot(layers, staging);
                        Fill(volumes, name, root, mount.Target);
                    }
                }
            }
        }
        finally
        {
            root?.Dispose();
            if (root is not null)
            {
                DirectoryListing.RemoveTree(staging + "/view");
            }
        }
    }

    private static void PrepareBind(MountConfig mount)
    {
        string source = mount.Source!;
        if (Files.TryStatAt(null, source, followLinks: true, out Errno errno) is not null)
        {
            return;
        }

        if (errno != Errno.ENOENT)
        {
            throw EngineException.Invalid($"invalid mount config for type \"bind\": {new SyscallException("statx", FlagText.Printable(source), errno).Message}");
        }

        if (mount.Origin != MountOrigin.VolumeFlag)
        {
            throw EngineException.Invalid($"invalid mount config for type \"bind\": bind source path does not exist: {FlagText.Printable(source)}");
        }

        // Docker's -v makes the directory, as root with mode 0755.
        Files.MakeDirectories(source, 0x1ED);
    }

    private static void Fill(VolumeStore volumes, string name, SafeFileHandle root, string target)
    {
        // The kernel keeps the walk inside the image's root, whatever links the image has on the way.
        using SafeFileHandle? source = Files.TryOpenBeneath(
            root, target, OpenFlags.ReadOnly | OpenFlags.Directory, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out Errno errno);
        if (source is not null)
        {
            volumes.Fill(name, source);
        }
        else if (errno is not (Errno.ENOENT or Errno.ENOTDIR))
        {
            throw new EngineException(EngineErrorKind.System, new SyscallException("openat2", target, errno, "looking into the image to fill a volume").Message);
        }
    }

    /// <summary>The image's root as an open directory. Several layers are stacked in a detached mount that is gone with its
    /// handle: nobody else sees it.</summary>
    private static SafeFileHandle OpenRoot(IReadOnlyList<string> layers, string staging)
    {
        if (layers.Count == 1)
        {
            return Files.Open(layers[0], OpenFlags.ReadOnly | OpenFlags.Directory);
        }

        string scratch = staging + "/view";
        Files.MakeDirectory(null, scratch, 0x1C0);
        foreach (string name in (ReadOnlySpan<string>)["/upper", "/work", "/mount"])
        {
            Files.MakeDirectory(null, scratch + name, 0x1C0);
        }

        using SafeFileHandle mount = OverlayMount.Create(layers, scratch + "/upper", scratch + "/work", scratch + "/mount");
        return Files.OpenAt(mount, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
    }
}
