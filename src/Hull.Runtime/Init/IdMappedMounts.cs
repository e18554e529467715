using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Bind mounts through which the owners of files appear as other users (mount_setattr(2) MOUNT_ATTR_IDMAP, Linux 5.12).</summary>
/// <remarks>config.md, mounts: uidMappings and gidMappings of the mount, or with the option idmap or ridmap alone those of the
/// container's user namespace. Mappings without the option mean idmap, as with runc.</remarks>
internal static class IdMappedMounts
{
    /// <summary>Maps a detached copy that is nowhere yet, which is when the kernel allows it.</summary>
    public static void Apply(Mount mount, MountOptions options, SafeFileHandle tree, LinuxConfig? linux)
    {
        if (!IsMapped(mount, options))
        {
            return;
        }

        bool own = mount.UidMappings is { Count: > 0 } || mount.GidMappings is { Count: > 0 };
        LinuxConfig maps = new()
        {
            UidMappings = own ? mount.UidMappings : linux?.UidMappings,
            GidMappings = own ? mount.GidMappings : linux?.GidMappings,
        };
        if (maps.UidMappings is not { Count: > 0 } || maps.GidMappings is not { Count: > 0 })
        {
            throw new ContainerException(ContainerFault.Engine, own
                ? $"mounts: {mount.Destination} has only one of uidMappings and gidMappings; an id-mapped mount needs both"
                : $"mounts: {mount.Destination} is to be id-mapped, but neither it nor linux has uidMappings and gidMappings");
        }

        using SafeFileHandle userNamespace = UserNamespaceMaps.MakeNamespace(maps);
        try
        {
            Mounts.SetAttributes(tree, MountAttributes.IdMapped, 0, MountFlags.None, options.IdMappedRecursive, userNamespace, mount.Source);
        }
        catch (SyscallException error) when (error.Errno is Errno.EINVAL or Errno.EPERM)
        {
            throw new ContainerException(ContainerFault.Engine,
                $"mounts: {mount.Destination} cannot be id-mapped: {error.Message}; the file system of {mount.Source} must support it, with Linux 5.12 or later", error);
        }
    }

    public static void RefuseUnlessBind(Mount mount, MountOptions options)
    {
        if (IsMapped(mount, options))
        {
            throw new ContainerException(ContainerFault.Engine, $"mounts: {mount.Destination} is no bind mount; only those can be id-mapped");
        }
    }

    private static bool IsMapped(Mount mount, MountOptions options) =>
        options.IdMapped || mount.UidMappings is { Count: > 0 } || mount.GidMappings is { Count: > 0 };
}
