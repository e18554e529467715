using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>Kernel settings, and the parts of /proc and /sys that a container must not read or write.</summary>
/// <remarks>
/// Paths below /proc and /sys are opened relative to the mount that this plan made, not by name from the root: whatever an
/// image or a racing neighbour puts in the way, the mask lies on the kernel's own file (CVE-2025-31133, CVE-2025-52881).
/// </remarks>
internal sealed unsafe partial class RootfsSetup
{
    private const ResolveFlags Strict = ResolveFlags.Beneath | ResolveFlags.NoSymlinks;

    /// <summary>procfs has two links that lead to no other file: /proc/self and /proc/thread-self.</summary>
    internal const ResolveFlags ThroughSelf = ResolveFlags.Beneath | ResolveFlags.NoMagicLinks;

    private Slot? _null;
    private Slot? _emptyDirectory;

    /// <summary>Writes linux.sysctl below the verified /proc; before /proc/sys turns read-only.</summary>
    public void AddSysctls()
    {
        foreach ((string key, string value) in _spec.Linux?.Sysctl ?? new Dictionary<string, string>())
        {
            // Dots separate, and a name may hold a dot that is written as a slash (sysctl(8)).
            string path = string.Concat(key.Select(c => c == '.' ? '/' : c == '/' ? '.' : c));
            Slot file = OpenBelow("/proc", "sys/" + path, 1, $"sysctl {key}", "a kernel setting of our own namespaces",
                "does this kernel have the setting, and is it one of a namespace?");
            WriteValue(file, value, $"sysctl {key}={value}", "a kernel setting of our own namespaces");
        }
    }

    /// <summary>linux.readonlyPaths: the path is mounted over itself, read-only.</summary>
    public void AddReadOnlyPaths()
    {
        foreach (string path in _spec.Linux?.ReadonlyPaths ?? [])
        {
            string place = Normalize(path);
            if (!Exists(place))
            {
                continue;
            }

            Slot target = OpenMaskTarget(place, "readable, not writable");
            Slot copy = _plan.CallInto("open_tree", SystemCallNumbers.open_tree, place, "a second mount of the same place",
                [target, _empty, Mounts.OpenTreeClone | CloseOnExec | Files.AtEmptyPath | Mounts.AtRecursive]);
            SetAttributes(copy, MountAttributes.ReadOnly, place, "read-only", recursive: true);
            _plan.Call("move_mount", SystemCallNumbers.move_mount, place, "lies over the writable one",
                [copy, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        }
    }

    /// <summary>linux.maskedPaths: files by /dev/null, directories by an empty read-only tmpfs.</summary>
    public void AddMaskedPaths()
    {
        foreach (string path in _spec.Linux?.MaskedPaths ?? [])
        {
            string place = Normalize(path);
            if (HostMetadata(place) is not { } metadata)
            {
                continue;
            }

            Slot target = OpenMaskTarget(place, "says too much about the host");
            Slot source = metadata.IsDirectory ? EmptyDirectory() : NullDevice();
            Slot copy = _plan.CallInto("open_tree", SystemCallNumbers.open_tree, place, "something empty",
                [source, _empty, Mounts.OpenTreeClone | CloseOnExec | Files.AtEmptyPath]);
            _plan.Call("move_mount", SystemCallNumbers.move_mount, place, "the empty thing lies over it",
                [copy, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        }
    }

    /// <summary>The working directory is made where the image has none, inside the root whatever links lead there (CVE-2026-55686).</summary>
    public void AddWorkingDirectory(string directory)
    {
        if (!directory.StartsWith('/'))
        {
            throw new ContainerException(ContainerFault.Engine, $"the working directory '{directory}' is invalid, it needs to be an absolute path");
        }

        string place = Normalize(directory);
        // Below /proc nothing is made: /proc/self/fd/N is refused by the check after chdir (CVE-2024-21626).
        if (place != "/" && !place.StartsWith("/proc/", StringComparison.Ordinal) && !ExistsAlready(place, directory: true))
        {
            MakeTarget(place, directory: true);
        }
    }

    /// <summary>Opens a file of /proc through the mount made for this container, for writing.</summary>
    public Slot OpenBelow(
        string mountedAt, string relative, int flags, string target, string why, string? hint = null, ResolveFlags resolve = Strict)
    {
        PlanArgument tree = FreshMount(mountedAt) is { } slot
            ? slot
            : throw new ContainerException(ContainerFault.Engine, $"{target}: the spec mounts no {mountedAt}");
        return _plan.CallInto("openat2", SystemCallNumbers.openat2, target, why, [tree, relative, How(flags, 0, resolve), sizeof(Files.OpenHow)], hint: hint);
    }

    public void WriteValue(Slot file, string value, string target, string why, string? hint = null)
    {
        byte* bytes = _plan.AllocateText(value);
        int length = System.Text.Encoding.UTF8.GetByteCount(value);
        _plan.Call("write", SystemCallNumbers.write, target, why, [file, PlanArgument.Memory(bytes, $"\"{value}\""), length], hint: hint);
        _plan.Call("close", SystemCallNumbers.close, target, "done with it", [file]);
    }

    public bool HasFreshProc => FreshMount("/proc") is not null;

    private Slot? FreshMount(string destination)
    {
        for (int i = _fresh.Count - 1; i >= 0; i--)
        {
            if (_fresh[i].Destination == destination)
            {
                return _fresh[i].Mount;
            }
        }

        return null;
    }

    private Slot OpenMaskTarget(string place, string why)
    {
        foreach (string tree in (ReadOnlySpan<string>)["/proc", "/sys"])
        {
            if (place.StartsWith(tree + "/", StringComparison.Ordinal) && FreshMount(tree) is { } slot)
            {
                return _plan.CallInto("openat2", SystemCallNumbers.openat2, place, why,
                    [slot, place[(tree.Length + 1)..], How(PathOnly, 0, Strict), sizeof(Files.OpenHow)]);
            }
        }

        return OpenInRoot(place, PathOnly, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, why);
    }

    private Slot NullDevice()
    {
        if (_null is { } known)
        {
            return known;
        }

        Slot device = _plan.CallInto("openat", SystemCallNumbers.openat, "/dev/null", "the host's, while we still see it",
            [Files.AtCurrentDirectory, "/dev/null", PathOnly | CloseOnExec]);
        Files.Statx* metadata = _plan.Allocate(default(Files.Statx));
        _plan.Call("statx", SystemCallNumbers.statx, "/dev/null", "to see that it is the null device",
            [device, _empty, Files.AtEmptyPath, 0x7ff, PlanArgument.Memory(metadata, "statx")]);
        _plan.Verify(&metadata->RdevMajor, 1, "/dev/null major", "a mask that is another file would show it (CVE-2025-31133)", Errno.ENODEV);
        _plan.Verify(&metadata->RdevMinor, 3, "/dev/null minor", "a mask that is another file would show it (CVE-2025-31133)", Errno.ENODEV);
        _null = device;
        return device;
    }

    /// <summary>An empty tmpfs in our tree; masks are copies of it. It is hidden below the root and costs one mount.</summary>
    private Slot EmptyDirectory()
    {
        if (_emptyDirectory is { } known)
        {
            return known;
        }

        Slot context = _plan.CallInto("fsopen", SystemCallNumbers.fsopen, "tmpfs", "an empty directory to hide others with", ["tmpfs", 1]);
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, "mask", "the name that mountinfo shows",
            [context, FileSystemContext.SetStringCommand, "source", "tmpfs", 0]);
        // size=0 would mean no limit at all (tmpfs(5)): one page, one inode, and read-only.
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, "mask size", "nothing fits", [context, FileSystemContext.SetStringCommand, "nr_blocks", "1", 0]);
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, "mask inodes", "nothing fits", [context, FileSystemContext.SetStringCommand, "nr_inodes", "1", 0]);
        AddMountLabel(context, "tmpfs", "mask");
        _plan.Call("fsconfig", SystemCallNumbers.fsconfig, "mask", "the file system comes to be", [context, FileSystemContext.CreateCommand, 0, 0, 0]);
        Slot made = _plan.CallInto("fsmount", SystemCallNumbers.fsmount, "mask", "read-only",
            [context, 1, PlanArgument.Named((nint)(MountAttributes.ReadOnly | MountAttributes.NoSetuid | MountAttributes.NoDevices | MountAttributes.NoExecute), "ReadOnly|NoSetuid|NoDevices|NoExecute")]);
        // Only a mount of our own tree can be copied: it lies on the old root's /sys, which goes with the pivot.
        _plan.Call("move_mount", SystemCallNumbers.move_mount, "/sys", "copies are made of attached mounts only; this place goes with the host's tree",
            [made, _empty, Files.AtCurrentDirectory, "/sys", Mounts.MoveFromEmptyPath]);
        _emptyDirectory = made;
        return made;
    }

    /// <summary>Whether the kernel has the path: /proc and /sys look alike in and out of the container.</summary>
    private bool Exists(string place) => HostMetadata(place) is not null;

    private FileMetadata? HostMetadata(string place) =>
        place.StartsWith("/proc/", StringComparison.Ordinal) || place.StartsWith("/sys/", StringComparison.Ordinal)
            ? Files.TryStatAt(null, place, followLinks: false, out _)
            : RootMetadata(place);

    private FileMetadata? RootMetadata(string place)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle? found = Files.TryOpenBeneath(
            _root, Relative(place), OpenFlags.Path, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out _);
        return found is null ? null : Files.Stat(found, place);
    }
}
