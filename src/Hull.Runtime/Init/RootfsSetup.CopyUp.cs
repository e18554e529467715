using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>A tmpfs that begins with what is at its place: option tmpcopyup (config.md, "Linux mount options").</summary>
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
        SafeFileHandle tree = MakeTree(mount, options, MountLabel);
        PlanArgument made = _plan.Own(tree, "filled tmpfs");
        if (IsOfTheRoot(mount, destination))
        {
            Fill(tree, _root, options, destination);
        }
        else
        {
            _gates.Meet(_plan, $"the mounts before {destination} are made", "until the parent has copied from them",
                child => FillFrom(child, tree, options, destination));
        }

        Slot target = OpenTarget(destination, directory: true, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        RefuseProcfs(target, destination);
        _plan.Call("move_mount", SystemCallNumbers.move_mount, destination, "memory-backed, with what was here",
            [made, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
    }

    /// <summary>Whether what is at its place are files of the root itself: no earlier mount of the spec lies at or above it, and no symbolic
    /// link could lead into one.</summary>
    private bool IsOfTheRoot(Mount mount, string destination)
    {
        if ((_spec.Mounts ?? []).TakeWhile(m => m != mount).Select(m => Normalize(m.Destination))
            .Any(above => destination == above || destination.StartsWith(above.TrimEnd('/') + "/", StringComparison.Ordinal)))
        {
            return false;
        }

        using SafeFileHandle? straight = Files.TryOpenBeneath(
            _root, Relative(destination), OpenFlags.Path, 0, ResolveFlags.InRoot | ResolveFlags.NoSymlinks, out Errno errno);
        return errno != Errno.ELOOP;
    }

    private static SafeFileHandle MakeTree(Mount mount, MountOptions options, string? label)
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

        if (label is not null)
        {
            context.Set("context", label, SecurityLabels.SelinuxHint);
        }

        return context.Mount(options.Set & ~MountAttributes.ReadOnly);
    }

    /// <summary>Fills it from the tree that a child has made so far.</summary>
    private static void FillFrom(StartedChild child, SafeFileHandle tree, MountOptions options, string destination)
    {
        // The child's current directory is its new root, see AttachRoot.
        string path = $"/proc/{child.Pid}/cwd";
        using SafeFileHandle root = Files.TryOpenAt(null, path, OpenFlags.Path | OpenFlags.Directory, 0, out Errno errno)
            ?? throw new SyscallException("open", path, errno, null, $"tmpcopyup of {destination} looks into the container's first process, for which root needs CAP_SYS_PTRACE");
        Fill(tree, root, options, destination);
    }

    private static void Fill(SafeFileHandle tree, SafeFileHandle root, MountOptions options, string destination)
    {
        // ENOENT and its like: there is nothing to copy; the child makes the mount point.
        using (SafeFileHandle? source = Files.TryOpenBeneath(
            root, Relative(destination), OpenFlags.ReadOnly | OpenFlags.Directory, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out _))
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
    }
}
