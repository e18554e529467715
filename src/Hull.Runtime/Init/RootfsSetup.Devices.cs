using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Device nodes and the usual links of /dev.</summary>
internal sealed unsafe partial class RootfsSetup
{
    /// <summary>Every container has these (runtime-spec config-linux.md, "Default Devices").</summary>
    private static readonly LinuxDevice[] DefaultDevices =
    [
        new() { Path = "/dev/null", Type = "c", Major = 1, Minor = 3 },
        new() { Path = "/dev/zero", Type = "c", Major = 1, Minor = 5 },
        new() { Path = "/dev/full", Type = "c", Major = 1, Minor = 7 },
        new() { Path = "/dev/random", Type = "c", Major = 1, Minor = 8 },
        new() { Path = "/dev/urandom", Type = "c", Major = 1, Minor = 9 },
        new() { Path = "/dev/tty", Type = "c", Major = 5, Minor = 0 },
    ];

    /// <summary>Many kernels are built without it (CONFIG_PROC_KCORE).</summary>
    private const string KernelMemory = "/proc/kcore";

    private static readonly (string Name, string Target)[] Links =
    [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
        ("core", KernelMemory), ("ptmx", "pts/ptmx"),
    ];

    /// <summary>Makes the nodes, unless /dev is the host's own by a bind mount, which is left alone.</summary>
    public void AddDevices()
    {
        if ((_spec.Mounts ?? []).Any(m => Normalize(m.Destination) == "/dev" && (m.Type == "bind" || MountOptions.Parse(m.Options).Bind)))
        {
            return;
        }

        if (!ExistsAlready("/dev", directory: true))
        {
            MakeTarget("/dev", directory: true);
        }

        Slot dev = OpenInRoot("/dev", PathOnly | DirectoryFlag, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, "where device nodes go");
        HashSet<string> made = new(StringComparer.Ordinal);
        foreach (LinuxDevice device in _spec.Linux?.Devices ?? [])
        {
            if (made.Add(Normalize(device.Path)))
            {
                AddDevice(device, dev);
            }
        }

        foreach (LinuxDevice device in DefaultDevices)
        {
            if (made.Add(device.Path))
            {
                AddDevice(device, dev);
            }
        }

        foreach ((string name, string target) in Links)
        {
            if (target == KernelMemory && Files.TryStatAt(null, KernelMemory, followLinks: false, out _) is null)
            {
                continue;
            }

            // EEXIST: the image, or a volume, brings its own /dev.
            _plan.Call("symlinkat", SystemCallNumbers.symlinkat, $"/dev/{name}", "programs expect it", [target, dev, name], [Errno.EEXIST]);
        }
    }

    private void AddDevice(LinuxDevice device, Slot dev)
    {
        string path = Normalize(device.Path);
        (PlanArgument directory, string name) = DeviceParent(path, dev);
        if (_userNamespace)
        {
            BindDevice(path, directory, name);
            return;
        }

        uint type = device.Type switch
        {
            "c" or "u" => (uint)FileType.CharacterDevice,
            "b" => (uint)FileType.BlockDevice,
            "p" => (uint)FileType.Fifo,
            _ => throw new ContainerException(ContainerFault.Engine, $"linux.devices: type '{device.Type}' of {device.Path} is not one of c, b, u, p"),
        };
        uint mode = device.FileMode is { } given ? given & 0xFFF : 0x1B6;
        ulong number = type == (uint)FileType.Fifo ? 0 : Files.DeviceNumber((uint)(device.Major ?? 0), (uint)(device.Minor ?? 0));
        // EEXIST: /dev is not a tmpfs of ours but the image's, and has the node.
        _plan.Call("mknodat", SystemCallNumbers.mknodat, path, "a device node the spec lists, or every container has",
            [directory, name, PlanArgument.Named((nint)(type | mode), $"{device.Type} {Convert.ToString(mode, 8)}"), PlanArgument.Named((nint)number, $"{device.Major}:{device.Minor}")],
            [Errno.EEXIST], hint: "mknod needs CAP_MKNOD");
        if (device.Uid is > 0 || device.Gid is > 0)
        {
            _plan.Call("fchownat", SystemCallNumbers.fchownat, path, "its owner",
                [directory, name, device.Uid ?? 0, device.Gid ?? 0, Files.AtSymlinkNoFollow]);
        }
    }

    /// <summary>A user namespace has no mknod(2): the host's node is mounted over an empty file.</summary>
    private void BindDevice(string path, PlanArgument directory, string name)
    {
        Microsoft.Win32.SafeHandles.SafeFileHandle node = Mounts.Clone(null, path, recursive: false);
        _plan.Call("openat", SystemCallNumbers.openat, path, "a mount point for the device",
            [directory, name, PlanArgument.Named(0x40 | 0x80 | CloseOnExec, "Create|Exclusive"), 0x1B6], [Errno.EEXIST]);
        Slot target = OpenInRoot(path, PathOnly, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, "the device's mount point");
        _plan.Call("move_mount", SystemCallNumbers.move_mount, path, "a user namespace cannot make nodes; the host's appears here",
            [_plan.Own(node, $"mount of {path}"), _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
    }

    private (PlanArgument Directory, string Name) DeviceParent(string path, Slot dev)
    {
        string relative = path.StartsWith("/dev/", StringComparison.Ordinal) ? path["/dev/".Length..] : path[1..];
        if (!relative.Contains('/', StringComparison.Ordinal) && path.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return (dev, relative);
        }

        string parent = path[..path.LastIndexOf('/')];
        if (parent.Length == 0)
        {
            return (_rootArgument, relative);
        }

        MakeTarget(parent, directory: true);
        Slot slot = OpenInRoot(parent, PathOnly | DirectoryFlag, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, "where the device node goes");
        return (slot, path[(path.LastIndexOf('/') + 1)..]);
    }
}
