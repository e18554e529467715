using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Cgroups;

/// <summary>The cgroup trees of this host and which controller is bound to which.</summary>
/// <remarks>Immutable, holds no descriptor, thread-safe. <see cref="Detect"/> is on the path of every start: one statfs(2)
/// and one small file on a pure v2 host, one statfs(2) and /proc/self/mountinfo elsewhere.</remarks>
public sealed class CgroupHost
{
    /// <summary>Where every distribution mounts cgroups (file-hierarchy(7)).</summary>
    public const string DefaultMountPoint = "/sys/fs/cgroup";

    // A v2 tree lists a dozen controllers; a mount table of some thousand lines is still read whole.
    private const int SmallFile = 4096;
    private const int LargestMountTable = 16 << 20;

    private CgroupHost(CgroupLayout layout, IReadOnlyList<CgroupHierarchy> hierarchies)
    {
        Layout = layout;
        Hierarchies = hierarchies;
        foreach (CgroupHierarchy hierarchy in hierarchies)
        {
            if (hierarchy.IsUnified)
            {
                Unified = hierarchy;
            }
        }
    }

    public CgroupLayout Layout { get; }

    /// <summary>Every tree once, in mount order.</summary>
    public IReadOnlyList<CgroupHierarchy> Hierarchies { get; }

    /// <summary>The v2 tree, or null. On a hybrid host it has few or no controllers, but freezes and kills.</summary>
    public CgroupHierarchy? Unified { get; }

    /// <summary>The tree that <paramref name="controller"/> is bound to, or null where the host has no such controller.</summary>
    /// <param name="controller">As in cgroups(7): <c>memory</c>, <c>cpu</c>, <c>pids</c>. Block I/O is <c>io</c> on v2 and
    /// <c>blkio</c> on v1, two names of two interfaces.</param>
    public CgroupHierarchy? Find(string controller)
    {
        foreach (CgroupHierarchy hierarchy in Hierarchies)
        {
            if (hierarchy.Has(controller))
            {
                return hierarchy;
            }
        }

        return null;
    }

    /// <summary>Looks at this machine.</summary>
    /// <exception cref="SyscallException">/proc/self/mountinfo or cgroup.controllers cannot be read.</exception>
    public static CgroupHost Detect()
    {
        if (Files.TryFileSystemMagic(DefaultMountPoint, out _) == Files.Cgroup2Magic)
        {
            return FromUnified(DefaultMountPoint);
        }

        using SafeFileHandle mountInfo = Files.Open("/proc/self/mountinfo", OpenFlags.ReadOnly);
        return FromMountInfo(Files.ReadAll(mountInfo, LargestMountTable, "/proc/self/mountinfo"));
    }

    /// <summary>A host whose only tree is v2, at <paramref name="mountPoint"/>.</summary>
    public static CgroupHost FromUnified(string mountPoint) =>
        new(CgroupLayout.Unified, [new CgroupHierarchy(mountPoint, IsUnified: true, ReadControllers(mountPoint))]);

    /// <summary>The host that a mount table describes.</summary>
    /// <param name="mountInfo">Text of /proc/self/mountinfo, proc_pid_mountinfo(5).</param>
    /// <param name="prefix">Put before every mount point: the root of a made-up tree in a test.</param>
    public static CgroupHost FromMountInfo(ReadOnlySpan<byte> mountInfo, string prefix = "")
    {
        List<CgroupHierarchy> found = [];
        bool legacy = false;
        foreach (Range range in mountInfo.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = mountInfo[range];
            // The optional fields in the middle end with " - "; type, source and super options follow.
            int separator = line.IndexOf(" - cgroup"u8);
            if (separator < 0)
            {
                continue;
            }

            string[] mount = Encoding.UTF8.GetString(line[..separator]).Split(' ');
            string[] tail = Encoding.UTF8.GetString(line[(separator + 3)..]).Split(' ');
            if (mount.Length < 6 || tail.Length < 3)
            {
                continue;
            }

            string mountPoint = prefix + MountTable.Unescape(mount[4]);
            bool unified = tail[0] == "cgroup2";
            string[] controllers = unified ? ReadControllers(mountPoint) : ControllersOf(tail[2]);
            // One tree may be mounted in several places; the first is the host's own.
            if (unified ? found.Exists(known => known.IsUnified) : found.Exists(known => known.Has(controllers[0])))
            {
                continue;
            }

            legacy |= !unified;
            found.Add(new CgroupHierarchy(mountPoint, unified, controllers));
        }

        CgroupLayout layout = (found.Count > 0, legacy, found.Exists(known => known.IsUnified)) switch
        {
            (false, _, _) => CgroupLayout.None,
            (_, false, _) => CgroupLayout.Unified,
            (_, true, true) => CgroupLayout.Hybrid,
            (_, true, false) => CgroupLayout.Legacy,
        };
        return new CgroupHost(layout, found);
    }

    private static string[] ReadControllers(string mountPoint)
    {
        string file = $"{mountPoint}/cgroup.controllers";
        using SafeFileHandle handle = Files.Open(file, OpenFlags.ReadOnly);
        return Encoding.UTF8.GetString(Files.ReadAll(handle, SmallFile, file))
            .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The controllers among a v1 mount's super options: <c>rw,cpu,cpuacct</c>, <c>rw,xattr,name=systemd</c>.</summary>
    private static string[] ControllersOf(string superOptions)
    {
        List<string> controllers = [];
        foreach (string option in superOptions.Split(','))
        {
            bool other = option is "rw" or "ro" or "xattr" or "noprefix" or "clone_children" or "cpuset_v2_mode" or "none" or "favordynmods"
                or "nofavordynmods" || option.StartsWith("release_agent=", StringComparison.Ordinal);
            if (!other)
            {
                controllers.Add(option);
            }
        }

        return controllers.Count > 0 ? controllers.ToArray() : ["none"];
    }
}
