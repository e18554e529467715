using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>A tmpfs that begins with what the root has at its place: option tmpcopyup (config.md, "Linux mount options").</summary>
internal sealed unsafe partial class RootfsSetup
{
    /// <summary>The parent makes and fills it while it is nowhere; the child only attaches it.</summary>
    private void AddCopyUp(Mount mount, MountOptions options, string destination, bool bind)
    {
        if (bind || mount.Type != "tmpfs")
        {
            throw new ContainerException(ContainerFault.Engine, $"mounts: tmpcopyup of {destination} is for mounts of type tmpfs alone");
        }

        IdMappedMounts.RefuseUnlessBind(mount, options);
        if ((_spec.Mounts ?? []).TakeWhile(m => m != mount).Select(m => Normalize(m.Destination))
            .FirstOrDefault(above => destination == above || destination.StartsWith(above + "/", StringComparison.Ordinal)) is { } above)
        {
            // The parent sees the root as it is, not the mounts that the child will make in it.
            throw new ContainerException(ContainerFault.Engine, $"mounts: tmpcopyup of {destination} would copy from the mount at {above}, only the root's own files can be copied");
        }

        SafeFileHandle tree = MakeFilled(mount, options, destination);
        PlanArgument made = _plan.Own(tree, "filled tmpfs");
        Slot target = OpenTarget(destination, directory: true, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        RefuseProcfs(target, destination);
        _plan.Call("move_mount", SystemCallNumbers.move_mount, destination, "memory-backed, with what the root has here",
            [made, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
    }

    private SafeFileHandle MakeFilled(Mount mount, MountOptions options, string destination)
    {
        using FileSystemContext context = new("tmpfs");
        context.Set("source", mount.Source ?? "tmpfs");
        foreach (string word in options.Data)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                context.SetFlag(word);
            }
            else
            {
                context.Set(word[..equals], word[(equals + 1)..]);
            }
        }

        SafeFileHandle tree = context.Mount(options.Set & ~MountAttributes.ReadOnly);
        // ENOENT and its like: there is nothing to copy; the child makes the mount point.
        using (SafeFileHandle? source = Files.TryOpenBeneath(
            _root, Relative(destination), OpenFlags.ReadOnly | OpenFlags.Directory, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out _))
        {
            if (source is not null)
            {
                using SafeFileHandle copy = Files.OpenAt(tree, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
                TreeCopy.Copy(source, copy, $"tmpfs at {destination}");
            }
        }

        if ((options.Set & MountAttributes.ReadOnly) != 0)
        {
            Mounts.SetAttributes(tree, MountAttributes.ReadOnly, 0, MountFlags.None, recursive: false, target: destination);
        }

        if (options.Propagation != MountFlags.None)
        {
            Mounts.SetAttributes(tree, 0, 0, options.Propagation, options.PropagationRecursive, target: destination);
        }

        return tree;
    }
}
