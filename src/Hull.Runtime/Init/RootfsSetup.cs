using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Plans the container's mount tree. Order is the contract: later mounts lie over earlier ones.</summary>
/// <remarks>
/// Sources are opened by the parent, before the clone, as detached mounts; the child attaches them. Targets are opened by the
/// child beneath the new root with openat2(2) RESOLVE_IN_ROOT, so that no symbolic link of the image and no other container
/// that flips a shared volume under us steers a mount onto the host (CVE-2021-30465, CVE-2024-45310).
/// </remarks>
internal sealed unsafe partial class RootfsSetup
{
    private const uint ProcMagic = 0x9fa0;
    private const uint DirectoryMode = 0x1ED;

    private const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private static readonly int DirectoryFlag = Files.Native(OpenFlags.Directory);

    private readonly InitPlan _plan;
    private readonly Spec _spec;
    private readonly SafeFileHandle _root;
    private readonly PlanArgument _rootArgument;
    private readonly PlanArgument _empty = "";
    private readonly ChildGates _gates;
    private readonly bool _userNamespace;
    private readonly List<(string Destination, Slot Mount)> _fresh = [];

    /// <param name="root">The new root as a detached mount; stays owned by the caller.</param>
    /// <param name="gates">For what the parent does between two mounts.</param>
    /// <param name="userNamespace">The child is in a user namespace of its own: no mknod(2), binds instead.</param>
    public RootfsSetup(InitPlan plan, Spec spec, SafeFileHandle root, ChildGates gates, bool userNamespace)
    {
        _plan = plan;
        _spec = spec;
        _root = root;
        _gates = gates;
        _userNamespace = userNamespace;
        _rootArgument = PlanArgument.Named(root.DangerousGetHandle(), "root");
    }

    /// <summary>The root becomes a mount of the child's namespace, on the current directory, which the parent has chosen: a mapped
    /// root of a user namespace may not walk the host's private directories to it by name.</summary>
    public void AttachRoot()
    {
        MountFlags propagation = _spec.Linux?.RootfsPropagation is { Length: > 0 } word
            ? MountOptions.PropagationOf(word)
            : MountFlags.Slave | MountFlags.Recursive;
        if (propagation == MountFlags.None)
        {
            throw new ContainerException(ContainerFault.Engine,
                $"linux.rootfsPropagation: '{_spec.Linux!.RootfsPropagation}' is not one of shared, slave, private, unbindable");
        }

        // Not private by default: an unmount on the host must still reach us, or we pin what the host wants to free. A
        // shared root is made so after the pivot: pivot_root(2) refuses a shared parent.
        MountFlags hostPropagation = (propagation & MountFlags.Shared) != 0 ? MountFlags.Slave | MountFlags.Recursive : propagation;
        _plan.Call("mount", SystemCallNumbers.mount, "/", "mounts made here must not show on the host",
            [0, "/", 0, PlanArgument.Named((nint)hostPropagation, hostPropagation), 0]);
        _plan.Call("move_mount", SystemCallNumbers.move_mount, "root", "the root filesystem gets a place in our tree",
            [_rootArgument, _empty, Files.AtCurrentDirectory, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        // A copy of a shared mount is one of its peers: what is mounted inside would show there, and pivot_root(2) refuses it.
        MountFlags own = hostPropagation & ~MountFlags.Recursive;
        _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, "root", "mounts made in it must not show on the host",
            [_rootArgument, _empty, Files.AtEmptyPath | Mounts.AtRecursive, Setting(0, own), sizeof(Mounts.MountSetting)]);
        _plan.Call("fchdir", SystemCallNumbers.fchdir, "root", "paths below are relative to the new root", [_rootArgument]);
    }

    /// <summary>All mounts of the spec, in its order.</summary>
    /// <param name="hierarchies">What a cgroup mount shows.</param>
    public void AddMounts(Func<IReadOnlyList<CgroupHierarchyMount>> hierarchies)
    {
        foreach (Mount mount in _spec.Mounts ?? [])
        {
            MountOptions options = MountOptions.Parse(mount.Options);
            if (mount.Type is "cgroup" or "cgroup2" && !options.Bind)
            {
                AddCgroupMount(Normalize(mount.Destination), options, hierarchies());
            }
            else
            {
                AddMount(mount, options);
            }
        }
    }

    private void AddCgroupMount(string destination, MountOptions options, IReadOnlyList<CgroupHierarchyMount> hierarchies)
    {
        Slot target = OpenTarget(destination, directory: true, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        if (hierarchies is [{ Version2: true } only])
        {
            AttachHierarchy(only, "cgroup2", options.Set, target, destination);
            return;
        }

        Slot tree = AttachNew("tmpfs", "tmpfs", ["mode=755"], options.Set & ~MountAttributes.ReadOnly, target, destination,
            "a directory for each v1 hierarchy");
        foreach (CgroupHierarchyMount hierarchy in hierarchies)
        {
            string place = $"{destination}/{hierarchy.Directory}";
            _plan.Call("mkdirat", SystemCallNumbers.mkdirat, place, "its mount point", [tree, hierarchy.Directory, DirectoryMode]);
            Slot at = _plan.CallInto("openat", SystemCallNumbers.openat, place, "its mount point",
                [tree, hierarchy.Directory, PathOnly | CloseOnExec | DirectoryFlag]);
            AttachHierarchy(hierarchy, "cgroup", options.Set, at, place);
            foreach (string alias in hierarchy.Aliases)
            {
                _plan.Call("symlinkat", SystemCallNumbers.symlinkat, $"{destination}/{alias}", "co-mounted controllers have a name each",
                    [hierarchy.Directory, tree, alias]);
            }
        }

        if ((options.Set & MountAttributes.ReadOnly) != 0)
        {
            SetAttributes(tree, MountAttributes.ReadOnly, destination, "nobody makes directories beside the hierarchies", recursive: false);
        }
    }

    private void AttachHierarchy(CgroupHierarchyMount hierarchy, string name, MountAttributes attributes, Slot target, string place)
    {
        if (hierarchy.HostDirectory is { } shown)
        {
            // Not a mount of our own: in the host's cgroup namespace one sets the whole hierarchy's options anew (nsdelegate and
            // its like get lost for the host), and the kernel waits 10 ms for it.
            Slot tree = _plan.CallInto("open_tree", SystemCallNumbers.open_tree, shown, "the host's mount once more, nowhere yet",
                [Files.AtCurrentDirectory, shown, Mounts.OpenTreeClone | CloseOnExec]);
            _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, place, "what is mounted inside does not reach the host",
                [tree, _empty, Files.AtEmptyPath, Setting(attributes, MountFlags.Private), sizeof(Mounts.MountSetting)]);
            _plan.Call("move_mount", SystemCallNumbers.move_mount, place, $"{shown} of the host appears here",
                [tree, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
            return;
        }

        AttachNew(hierarchy.Version2 ? "cgroup2" : "cgroup", name, hierarchy.Options, attributes, target, place,
            "the cgroup tree, rooted at our own cgroup");
    }

    /// <summary>The new root becomes "/", the host's tree goes.</summary>
    public void Pivot()
    {
        _plan.Call("fchdir", SystemCallNumbers.fchdir, "root", "pivot_root takes the current directory for both places", [_rootArgument]);
        _plan.Call("pivot_root", SystemCallNumbers.pivot_root, ".", "the new root becomes / and the host's root is stacked over it", [".", "."]);
        _plan.Call("umount2", SystemCallNumbers.umount2, ".", "the host's tree leaves our namespace",
            [".", PlanArgument.Named((nint)UnmountFlags.Detach, "Detach")]);
        _plan.Call("chdir", SystemCallNumbers.chdir, "/", "no directory of the host may stay our current one", ["/"]);
        MountFlags propagation = _spec.Linux?.RootfsPropagation is { Length: > 0 } word ? MountOptions.PropagationOf(word) : MountFlags.None;
        if ((propagation & MountFlags.Shared) != 0)
        {
            _plan.Call("mount", SystemCallNumbers.mount, "/", "the spec asks for a shared root",
                [0, "/", 0, PlanArgument.Named((nint)propagation, propagation), 0]);
        }
    }

    /// <summary>The root itself read-only, its submounts as they are; last, for mount points are made in it before.</summary>
    public void MakeRootReadOnly()
    {
        if (_spec.Root?.Readonly == true)
        {
            _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, "/", "the spec asks for a read-only root",
                [_rootArgument, _empty, Files.AtEmptyPath, Setting(MountAttributes.ReadOnly), sizeof(Mounts.MountSetting)]);
        }
    }

    private void AddMount(Mount mount, MountOptions options)
    {
        string destination = Normalize(mount.Destination);
        bool bind = mount.IsBind;
        ProcfsRule.Check(destination, mount.Type, bind);
        if (options.CopyUp)
        {
            AddCopyUp(mount, options, destination, bind);
            return;
        }

        if (bind)
        {
            AddBind(mount, options, destination);
            return;
        }

        IdMappedMounts.RefuseUnlessBind(mount, options);
        string type = mount.Type ?? throw new ContainerException(ContainerFault.Engine, $"mounts: {destination} has neither a type nor the option bind");
        // CVE-2023-28642, CVE-2025-54867: with /proc or /sys a link, everything written "to proc" later would go elsewhere.
        bool kernelTree = type is "proc" or "sysfs";
        ResolveFlags resolve = kernelTree ? ResolveFlags.InRoot | ResolveFlags.NoSymlinks : ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;
        Slot target = OpenTarget(destination, directory: true, resolve,
            kernelTree ? $"{destination} of the image must be a directory, not a symbolic link" : null);
        if (!kernelTree)
        {
            RefuseProcfs(target, destination);
        }

        Slot made = AttachNew(type, mount.Source ?? type, options.Data, options.Set, target, destination, Reason(type));
        if (type == "mqueue")
        {
            LabelQueues(made, destination);
        }

        if (options.Propagation != MountFlags.None)
        {
            SetPropagation(made, options, destination);
        }

        _fresh.Add((destination, made));
    }

    private void AddBind(Mount mount, MountOptions options, string destination)
    {
        string source = mount.Source is { Length: > 0 } given
            ? given
            : throw new ContainerException(ContainerFault.Engine, $"mounts: the bind mount at {destination} has no source");
        SafeFileHandle tree;
        FileMetadata metadata;
        try
        {
            tree = Mounts.Clone(null, source, options.Recursive || !options.Bind);
            metadata = Files.Stat(tree, source);
        }
        catch (SyscallException error) when (error.Errno == Errno.ENOENT)
        {
            throw new ContainerException(ContainerFault.Engine, $"bind source path does not exist: {source}", error);
        }

        if (options.Set != 0 || options.Clear != 0)
        {
            Mounts.SetAttributes(tree, options.Set, options.Clear & ~MountAttributes.ReadOnly, MountFlags.None, recursive: false, target: source);
        }

        if (options.SetRecursive != 0 || options.ClearRecursive != 0)
        {
            Mounts.SetAttributes(tree, options.SetRecursive, options.ClearRecursive, MountFlags.None, recursive: true, target: source);
        }

        IdMappedMounts.Apply(mount, options, tree, _spec.Linux);
        Slot target = OpenTarget(destination, metadata.IsDirectory, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        if (!ProcfsRule.Allows(destination))
        {
            RefuseProcfs(target, destination);
        }

        PlanArgument mountArgument = _plan.Own(tree, $"mount of {source}");
        _plan.Call("move_mount", SystemCallNumbers.move_mount, destination, $"{source} of the host appears here",
            [mountArgument, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        // A bind mount is private to the container unless asked otherwise: what is mounted inside does not reach the host.
        MountFlags propagation = options.Propagation == MountFlags.None ? MountFlags.Private : options.Propagation;
        int recursive = options.Propagation == MountFlags.None || options.PropagationRecursive ? Mounts.AtRecursive : 0;
        _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, destination, "how mounts propagate between host and container",
            [mountArgument, _empty, Files.AtEmptyPath | recursive, Setting(0, propagation), sizeof(Mounts.MountSetting)]);
    }

    /// <summary>fsopen, fsconfig, fsmount, move_mount; the slot holds the mount.</summary>
    private Slot AttachNew(
        string type, string source, IReadOnlyList<string> data, MountAttributes attributes, Slot target, string destination, string why)
    {
        Slot context = _plan.CallInto("fsopen", SystemCallNumbers.fsopen, type, why, [type, 1],
            hint: $"is {type} in /proc/filesystems?");
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, destination, "the name that mountinfo shows",
            [context, FileSystemContext.SetStringCommand, "source", source, 0]);
        foreach (string word in data)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                _plan.Call("fsconfig", SystemCallNumbers.fsconfig, $"{destination} {word}", "option of the file system",
                    [context, FileSystemContext.SetFlagCommand, word, 0, 0]);
            }
            else
            {
                _plan.Call("fsconfig", SystemCallNumbers.fsconfig, $"{destination} {word}", "option of the file system",
                    [context, FileSystemContext.SetStringCommand, word[..equals], word[(equals + 1)..], 0]);
            }
        }

        AddMountLabel(context, type, destination);
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, destination, "the file system comes to be",
            [context, FileSystemContext.CreateCommand, 0, 0, 0]);
        Slot made = _plan.CallInto("fsmount", SystemCallNumbers.fsmount, destination, "as a mount that is nowhere yet",
            [context, 1, PlanArgument.Named((nint)attributes, attributes)]);
        _plan.Call("move_mount", SystemCallNumbers.move_mount, destination, why,
            [made, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        return made;
    }

    private void SetAttributes(PlanArgument mount, MountAttributes attributes, string destination, string why, bool recursive) =>
        _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, destination, why,
            [mount, _empty, Files.AtEmptyPath | (recursive ? Mounts.AtRecursive : 0), Setting(attributes), sizeof(Mounts.MountSetting)]);

    private void SetPropagation(Slot mount, MountOptions options, string destination) =>
        _plan.Call("mount_setattr", SystemCallNumbers.mount_setattr, destination, "how mounts propagate",
            [mount, _empty, Files.AtEmptyPath | (options.PropagationRecursive ? Mounts.AtRecursive : 0), Setting(0, options.Propagation), sizeof(Mounts.MountSetting)]);

    private PlanArgument Setting(MountAttributes set, MountFlags propagation = MountFlags.None) =>
        PlanArgument.Memory(
            _plan.Allocate(new Mounts.MountSetting { Set = set, Propagation = (ulong)propagation }),
            propagation == MountFlags.None ? set : propagation);

    private static string Reason(string type) => type switch
    {
        "proc" => "a /proc of our own pid namespace",
        "sysfs" => "a /sys that shows our own network namespace",
        "devpts" => "pseudo terminals of our own, none of the host's",
        "mqueue" => "POSIX message queues of our own ipc namespace",
        "tmpfs" => "memory-backed, gone with the container",
        _ => $"the spec asks for a {type}",
    };
}

/// <summary>One hierarchy that a container sees under /sys/fs/cgroup on a host with v1 controllers.</summary>
/// <param name="Directory">Its directory's name, <c>cpu,cpuacct</c>.</param>
/// <param name="Options">Mount options that select it: controllers, or <c>none</c> and <c>name=systemd</c>.</param>
/// <param name="Aliases">Further names, as symbolic links.</param>
/// <param name="HostDirectory">In the host's cgroup namespace: the directory of the host that appears. Null: a mount of our own.</param>
internal sealed record CgroupHierarchyMount(
    string Directory, IReadOnlyList<string> Options, IReadOnlyList<string> Aliases, bool Version2, string? HostDirectory);
