using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Opening mount points beneath the new root, made where they are missing.</summary>
internal sealed unsafe partial class RootfsSetup
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Plans the opening of <paramref name="destination"/> beneath the root; missing parts are made.</summary>
    private Slot OpenTarget(string destination, bool directory, ResolveFlags resolve, string? hint = null)
    {
        if (!ExistsAlready(destination, directory))
        {
            MakeTarget(destination, directory);
        }

        return OpenInRoot(destination, directory ? PathOnly | DirectoryFlag : PathOnly, resolve, "where to mount",
            hint ?? (directory ? "the mount point must be a directory, as its source is" : null));
    }

    private Slot OpenInRoot(string destination, int flags, ResolveFlags resolve, string why, string? hint = null) =>
        _plan.CallInto("openat2", SystemCallNumbers.openat2, destination, why,
            [_rootArgument, Relative(destination), How(flags, 0, resolve), sizeof(Files.OpenHow)], hint: hint);

    /// <summary>Asks the untouched rootfs, so that the usual mount points cost no step. Below an earlier mount nothing is known.</summary>
    private bool ExistsAlready(string destination, bool directory)
    {
        foreach ((string mounted, _) in _fresh)
        {
            if (destination.StartsWith(mounted + "/", StringComparison.Ordinal))
            {
                return false;
            }
        }

        foreach (Oci.RuntimeSpec.Mount mount in _spec.Mounts ?? [])
        {
            if (destination.StartsWith(Normalize(mount.Destination) + "/", StringComparison.Ordinal))
            {
                return false;
            }
        }

        OpenFlags flags = directory ? OpenFlags.Path | OpenFlags.Directory : OpenFlags.Path;
        using SafeFileHandle? found = Files.TryOpenBeneath(
            _root, Relative(destination), flags, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out _);
        return found is not null;
    }

    /// <summary>mkdir -p beneath the root, and an empty file at the end for a file's mount point.</summary>
    private void MakeTarget(string destination, bool directory)
    {
        string[] parts = Relative(destination).Split('/', StringSplitOptions.RemoveEmptyEntries);
        PlanArgument parent = _rootArgument;
        string path = "";
        for (int i = 0; i < parts.Length; i++)
        {
            bool last = i == parts.Length - 1;
            path = path.Length == 0 ? parts[i] : $"{path}/{parts[i]}";
            if (_known.Add((last && !directory ? "f:" : "d:") + path))
            {
                if (last && !directory)
                {
                    // O_EXCL does not follow a link at the end; what is there already is opened, resolved, by the caller.
                    _plan.Call("openat", SystemCallNumbers.openat, "/" + path, "a mount point for a file",
                        [parent, parts[i], PlanArgument.Named(0x40 | 0x80 | CloseOnExec, "Create|Exclusive"), 0x1A4], [Errno.EEXIST]);
                    return;
                }

                // EEXIST: there already, directory or link; openat2 below says which. EPERM, EROFS, EACCES: a kernel file
                // system refuses mkdir even for names that exist; if the name is missing openat2 fails with ENOENT.
                _plan.Call("mkdirat", SystemCallNumbers.mkdirat, "/" + path, "a mount point", [parent, parts[i], DirectoryMode],
                    [Errno.EEXIST, Errno.EPERM, Errno.EROFS, Errno.EACCES]);
            }

            if (!last)
            {
                parent = OpenInRoot("/" + path, PathOnly | DirectoryFlag, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, "on the way to a mount point");
            }
        }
    }

    /// <summary>The target must not lie in a procfs, whatever links led there.</summary>
    private void RefuseProcfs(Slot target, string destination)
    {
        uint* statfs = (uint*)_plan.Allocate(256);
        _plan.Call("fstatfs", SystemCallNumbers.fstatfs, destination, "which file system the mount point is in",
            [target, PlanArgument.Memory(statfs, "statfs")]);
        _plan.Add(new PlanStep
        {
            Kind = StepKind.Refuse,
            Call = "refuse",
            Number = 0,
            Target = destination,
            Why = "no image may cover a part of /proc (CVE-2019-16884)",
            Arguments = [PlanArgument.Memory(statfs, "f_type"), PlanArgument.Named((nint)ProcMagic, "PROC_SUPER_MAGIC")],
            Expected = (nint)ProcMagic,
            Failure = Errno.EPERM,
            Hint = "the mount point leads into /proc",
        });
    }

    private PlanArgument How(int flags, uint mode, ResolveFlags resolve) =>
        PlanArgument.Memory(
            _plan.Allocate(new Files.OpenHow { Flags = (ulong)(uint)(flags | CloseOnExec), Mode = mode, Resolve = (ulong)resolve }),
            resolve);

    private static string Relative(string destination) => destination.Length == 1 ? "." : destination[1..];

    /// <summary>Absolute and lexically clean, as docker cleans mount destinations: no ".", "..", empty part or slash at the end.</summary>
    internal static string Normalize(string destination)
    {
        string[] parts = destination.Split('/', StringSplitOptions.RemoveEmptyEntries);
        List<string> kept = new(parts.Length);
        foreach (string part in parts)
        {
            if (part == "..")
            {
                if (kept.Count > 0)
                {
                    kept.RemoveAt(kept.Count - 1);
                }
            }
            else if (part != ".")
            {
                kept.Add(part);
            }
        }

        return "/" + string.Join('/', kept);
    }
}
