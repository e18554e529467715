using System.Globalization;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>The mount list: Docker's defaults, the managed files of /etc, and what user and image asked for.</summary>
public sealed partial class SpecBuilder
{
    private List<Mount> Mounts()
    {
        IReadOnlyList<MountConfig> asked = _config.Mounts ?? [];
        bool ownNetwork = !_host.IsHostNetwork && NamespaceModes.Joined(_host.NetworkMode) is null;
        List<Mount> mounts = SpecDefaults.Mounts(
            _host.Privileged,
            _host.ShmSize is { } shm and > 0 ? shm : SpecDefaults.ShmSize,
            sysfs: _mappings is null || ownNetwork,
            ptsGroup: _mappings is null || UserNamespaceMapping.Map(_mappings, 5) is not null);
        AdaptIpc(mounts);
        // A mount of the user's at a default's place replaces it; one at /dev replaces all below it too, as in Docker.
        mounts.RemoveAll(mount => IsAskedFor(asked, mount.Destination));
        List<MountConfig> sorted = InOrder(asked);
        int at = 0;
        // What lies at or above /etc comes first: the managed files then lie in it, as in Docker.
        for (; at < sorted.Count && Depth(sorted[at].Target) < 2; at++)
        {
            mounts.Add(Mount(sorted[at]));
        }

        AddManaged(mounts, asked);
        for (; at < sorted.Count; at++)
        {
            mounts.Add(Mount(sorted[at]));
        }

        return mounts;
    }

    private static Mount SharedMemory(string source) => new()
    {
        Destination = "/dev/shm",
        Type = "bind",
        Source = source,
        Options = ["bind", "rprivate", "nosuid", "noexec", "nodev"],
    };

    private Mount Mount(MountConfig mount) => mount.Kind == MountKind.Tmpfs ? Tmpfs(mount) : Bind(mount);

    /// <summary>Parents before children, whatever the order of the flags; stable among equals.</summary>
    internal static List<MountConfig> InOrder(IReadOnlyList<MountConfig> mounts)
    {
        List<MountConfig> sorted = new(mounts.Count);
        for (int i = 0; i < mounts.Count; i++)
        {
            int depth = Depth(mounts[i].Target);
            int at = sorted.Count;
            while (at > 0 && Depth(sorted[at - 1].Target) > depth)
            {
                at--;
            }

            sorted.Insert(at, mounts[i]);
        }

        return sorted;
    }

    private static int Depth(string path) => path.AsSpan().Count('/');

    private static bool IsAskedFor(IReadOnlyList<MountConfig> asked, string destination)
    {
        for (int i = 0; i < asked.Count; i++)
        {
            if (asked[i].Target == destination || (asked[i].Target == "/dev" && ContainerPath.IsAtOrBelow(destination, "/dev")))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Another's IPC namespace comes with that one's /dev/shm; a new mqueue mount shows the queues of
    /// whatever namespace the container is in, the host's too.</summary>
    private void AdaptIpc(List<Mount> mounts)
    {
        int shm = mounts.FindIndex(static mount => mount.Destination == "/dev/shm");
        if (_host.IpcMode == "none")
        {
            mounts.RemoveAt(shm);
        }
        else if (_host.IpcMode == "host")
        {
            mounts[shm] = Managed("/dev/shm", "/dev/shm", readOnly: false);
        }
        else if (_host.IpcMode == "shareable")
        {
            mounts[shm] = SharedMemory(_from.SharedMemory(_config.Id, true));
        }
        else if (NamespaceModes.Joined(_host.IpcMode) is { } other)
        {
            mounts[shm] = SharedMemory(_from.SharedMemory(other, false));
        }
    }

    /// <summary>hostname, hosts and resolv.conf: the engine's own files, a container's that lends its network among them.</summary>
    private void AddManaged(List<Mount> mounts, IReadOnlyList<MountConfig> asked)
    {
        string directory = _paths.ContainerDirectory(NamespaceModes.Joined(_host.NetworkMode) ?? _config.Id);
        foreach (string name in ManagedFiles.Names)
        {
            string target = "/etc/" + name;
            if (!IsAskedFor(asked, target) && !HasReadonlyEtc(asked))
            {
                mounts.Add(Managed(target, string.Concat(directory, "/", name), _host.ReadonlyRootfs));
            }
        }
    }

    /// <summary>In a read-only /etc of the user's no place can be made for the files.</summary>
    private static bool HasReadonlyEtc(IReadOnlyList<MountConfig> asked)
    {
        for (int i = 0; i < asked.Count; i++)
        {
            if (asked[i] is { Target: "/etc", ReadOnly: true })
            {
                return true;
            }
        }

        return false;
    }

    private static Mount Managed(string destination, string source, bool readOnly) => new()
    {
        Destination = destination,
        Type = "bind",
        Source = source,
        Options = readOnly ? ["rbind", "rprivate", "ro"] : ["rbind", "rprivate"],
    };

    private Mount Bind(MountConfig mount)
    {
        string? source = mount.Source;
        if (mount.Kind == MountKind.Volume)
        {
            // The name was validated when the record was made, and is again: it becomes a path.
            source = string.Concat(_paths.Volumes, "/", MountConfig.VolumeName(mount.Source ?? ""), "/_data");
            if (mount.Subpath is { } subpath)
            {
                source = _from.Beneath(source, subpath);
            }
        }

        List<string> options = [mount.NonRecursive ? "bind" : "rbind", mount.Propagation ?? "rprivate"];
        if (mount.ReadOnly)
        {
            // Recursive read-only (mount_setattr(2), Linux 5.12) covers what is mounted below the source as well.
            options.Add(mount.NonRecursive || mount.Kind == MountKind.Volume ? "ro" : "rro");
        }

        return new Mount { Destination = mount.Target, Type = "bind", Source = source, Options = options };
    }

    private static Mount Tmpfs(MountConfig mount)
    {
        List<string> options = mount.Origin == MountOrigin.TmpfsFlag ? ["noexec", "nosuid", "nodev"] : ["nosuid", "nodev", "noexec"];
        foreach (string word in mount.TmpfsOptions ?? [])
        {
            // --tmpfs /run:exec lifts a default; two opposite words would leave it to the runtime which one wins.
            options.Remove("no" + word);
            options.Add(word.StartsWith("size=", StringComparison.Ordinal) && ByteSize.TryParse(word.AsSpan(5), out long bytes)
                ? string.Create(CultureInfo.InvariantCulture, $"size={bytes}")
                : word);
        }

        if (mount.ReadOnly)
        {
            options.Add("ro");
        }

        if (mount.TmpfsSize is { } size)
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"size={size}"));
        }

        if (mount.TmpfsMode is { } mode)
        {
            options.Add("mode=" + Convert.ToString(mode, 8));
        }

        return new Mount { Destination = mount.Target, Type = "tmpfs", Source = "tmpfs", Options = options };
    }

    /// <summary>A mount that is to pass events on needs a root that lets them through, as in Docker: shared for shared,
    /// slave for slave.</summary>
    private string? RootPropagation()
    {
        string? propagation = null;
        foreach (MountConfig mount in _config.Mounts ?? [])
        {
            if (mount.Propagation is "shared" or "rshared")
            {
                return "shared";
            }

            if (mount.Propagation is "slave" or "rslave")
            {
                propagation = "rslave";
            }
        }

        return propagation;
    }
}
