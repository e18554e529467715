using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>An overlay file system as a detached mount, whatever the number of layers.</summary>
public static class OverlayMount
{
    /// <summary>Mounts <paramref name="lower"/> (topmost first) with a writable upper layer.</summary>
    /// <param name="mountPoint">An existing directory; used as a transient mount point on kernels before 6.8 only.</param>
    /// <exception cref="SyscallException">ENODEV where the kernel has no overlayfs; the errors of fsconfig(2).</exception>
    /// <remarks>Linux 6.8 takes layers one by one ("lowerdir+"), so that depth is not bounded by the page of mount(2). Older
    /// kernels get one mount(2) in a mount namespace of our own and hand its detached copy back.</remarks>
    public static SafeFileHandle Create(IReadOnlyList<string> lower, string upper, string work, string mountPoint)
    {
        using FileSystemContext context = new("overlay");
        for (int i = 0; i < lower.Count; i++)
        {
            if (!context.TrySet("lowerdir+", lower[i], out Errno errno))
            {
                if (i == 0 && errno == Errno.EINVAL)
                {
                    return CreateWithOptionPage(lower, upper, work, mountPoint);
                }

                throw new SyscallException("fsconfig", "overlay", errno, $"lowerdir+={lower[i]}");
            }
        }

        context.Set("upperdir", upper);
        context.Set("workdir", work);
        SetPlainUpper(context);
        try
        {
            return context.Mount(MountAttributes.None);
        }
        catch (SyscallException e) when (e.Errno == Errno.EINVAL)
        {
            // Before Linux 6.5 overlayfs knows the old mount interface only: any key is taken, unread, and refused here.
            return CreateWithOptionPage(lower, upper, work, mountPoint);
        }
    }

    /// <summary>The same for a container in a user namespace: the layers appear as if their owners were ids of that namespace,
    /// by idmapped mounts of them; nothing on disk changes.</summary>
    /// <param name="userNamespace">Its uid and gid maps apply.</param>
    /// <exception cref="SyscallException">EINVAL before Linux 6.13, which takes layers as descriptors, or where the file system
    /// of the layers has no idmapped mounts.</exception>
    public static SafeFileHandle CreateMapped(IReadOnlyList<string> lower, string upper, string work, SafeFileHandle userNamespace)
    {
        using FileSystemContext context = new("overlay");
        List<SafeFileHandle> layers = [];
        try
        {
            foreach (string layer in lower)
            {
                // Held until the overlay is made: a detached mount ends with its last descriptor.
                SafeFileHandle mapped = Map(layer, userNamespace);
                layers.Add(mapped);
                context.SetDescriptor("lowerdir+", mapped, "layers by descriptor need Linux 6.13; run without --userns here");
            }

            // Not mapped: overlayfs writes there as the mounter, whom the map does not know, and gives files their owner's host id.
            context.Set("upperdir", upper);
            context.Set("workdir", work);
            SetPlainUpper(context);
            return context.Mount(MountAttributes.None);
        }
        finally
        {
            layers.ForEach(static layer => layer.Dispose());
        }
    }

    /// <summary>Whatever the kernel's defaults, the upper layer has whole files and directories under their own names: what it has to
    /// say stands in itself, and commit, diff and export read it without a mount.</summary>
    private static void SetPlainUpper(FileSystemContext context)
    {
        context.Set("redirect_dir", "off");
        context.Set("metacopy", "off");
    }

    private static SafeFileHandle Map(string directory, SafeFileHandle userNamespace)
    {
        SafeFileHandle mount = Mounts.Clone(null, directory, recursive: false);
        Mounts.SetAttributes(mount, MountAttributes.IdMapped, 0, MountFlags.None, recursive: false, userNamespace, directory);
        return mount;
    }

    private static SafeFileHandle CreateWithOptionPage(IReadOnlyList<string> lower, string upper, string work, string mountPoint)
    {
        PrivateMountNamespace.Enter();
        // Relative names keep 128 layers within the page: the common parent becomes the working directory.
        string parent = CommonParent(lower);
        string options = $"lowerdir={string.Join(':', lower.Select(l => Escape(Path.GetRelativePath(parent, l))))}"
            + $",upperdir={Escape(upper)},workdir={Escape(work)},redirect_dir=off,metacopy=off";
        if (options.Length > Environment.SystemPageSize - 1)
        {
            throw new SyscallException("mount", mountPoint, Errno.E2BIG, $"{lower.Count} layers need {options.Length} bytes of options",
                "Linux 6.8 or later mounts any number of layers; on this kernel squash the image");
        }

        string before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(parent);
        try
        {
            Mounts.Mount("overlay", mountPoint, "overlay", MountFlags.None, options);
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }

        try
        {
            return Mounts.Clone(null, mountPoint, recursive: false);
        }
        finally
        {
            Mounts.Unmount(mountPoint, UnmountFlags.Detach);
        }
    }

    /// <summary>Colons separate layers and commas options: both are escaped (Documentation/filesystems/overlayfs.rst).</summary>
    private static string Escape(string path) =>
        path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private static string CommonParent(IReadOnlyList<string> paths)
    {
        string parent = Path.GetDirectoryName(Path.GetDirectoryName(paths[0])) ?? "/";
        foreach (string path in paths)
        {
            while (parent != "/" && !path.StartsWith(parent + "/", StringComparison.Ordinal))
            {
                parent = Path.GetDirectoryName(parent) ?? "/";
            }
        }

        return parent;
    }
}
