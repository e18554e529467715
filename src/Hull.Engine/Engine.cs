using Hull.Engine.Containers;
using Hull.Engine.Networks;
using Hull.Engine.Volumes;
using Hull.Images;
using Hull.Linux;
using Hull.Networking;
using Hull.Networking.Host;

namespace Hull.Engine;

/// <summary>The container engine over one store: what the command line, and later the API daemon, call.</summary>
/// <remarks>Holds no state of its own beside opened stores: any number of processes, each with its own instance, work on
/// the same store. Not thread-safe where an instance is shared. Every method throws <see cref="EngineException"/>.</remarks>
public sealed partial class Engine
{
    private readonly Action<string> _warn;
    private ImageStore? _images;

    /// <param name="warn">Takes sentences for the user beside a call's result: what it could not undo, or left behind.</param>
    public Engine(HullPaths paths, Action<string> warn)
    {
        _warn = warn;
        Paths = paths;
        Containers = new ContainerStore(paths);
        Volumes = new VolumeStore(paths);
        Networks = NetworksOf(paths, warn);
    }

    public HullPaths Paths { get; }

    public ContainerStore Containers { get; }

    public VolumeStore Volumes { get; }

    /// <summary>The networks of this store, and what this host has of them.</summary>
    public HostNetworks Networks { get; }

    /// <summary>Opened on first use: most commands on containers need none.</summary>
    public ImageStore Images => _images ??= ImageStore.Open(Paths.DataRoot);

    /// <summary>The container meant by a name, an id or a unique start of an id.</summary>
    /// <exception cref="EngineException">NotFound with the nearest names, and a hint where the name is an image's.</exception>
    public ContainerId Find(string reference) =>
        Containers.TryFind(reference) ?? throw EngineException.NotFound(Containers.NoSuchContainer(reference, IsImage));

    /// <summary>The container's status with the truth about its life: a container whose monitor was killed is recovered first.</summary>
    public ContainerStatus Status(ContainerId id)
    {
        ContainerStatus status = Containers.ReadStatus(id);
        return status.IsLive && !MonitorLock.IsHeld(Paths, id)
            ? Recover(status) ?? throw EngineException.NotFound($"No such container: {id.Short} (it ended, and was removed as --rm asked)")
            : status;
    }

    /// <summary>Containers, the newest first; those whose monitor was killed are recovered, and leftovers of killed commands swept.</summary>
    /// <param name="all">Also those that do not run.</param>
    public IReadOnlyList<ContainerStatus> List(bool all = true, ContainerFilter? filter = null)
    {
        List<ContainerStatus> found = Containers.List(Recover, out bool leftovers);
        if (leftovers)
        {
            Containers.Sweep(Volumes.Remove);
        }

        HashSet<string> live = [.. found.Where(static status => status.IsLive).Select(static status => status.Id.Hex)];
        InNetworks("firewall", () => Networks.Heal(live.Contains));
        if (!all && filter is not { SelectsState: true })
        {
            found.RemoveAll(static status => !status.IsLive);
        }

        if (filter is not null)
        {
            ContainerFilter bound = filter.Bind(this, found);
            found.RemoveAll(status => !bound.Matches(status));
        }

        return found;
    }

    /// <summary>The containers made of an image: what removing the image asks.</summary>
    public IReadOnlyList<ContainerStatus> UsersOf(Oci.Digest imageId)
    {
        List<ContainerStatus> found = Containers.List(null, out _);
        found.RemoveAll(status => status.ImageId != imageId);
        return found;
    }

    /// <summary>The containers that mount a volume.</summary>
    public IReadOnlyList<ContainerStatus> UsersOfVolume(string name)
    {
        List<ContainerStatus> found = Containers.List(null, out _);
        found.RemoveAll(status => !Mounts(status.Id, name));
        return found;
    }

    /// <summary>The names of the volumes that containers mount.</summary>
    public IReadOnlySet<string> UsedVolumes()
    {
        HashSet<string> used = new(StringComparer.Ordinal);
        foreach (ContainerStatus status in Containers.List(null, out _))
        {
            foreach (MountConfig mount in TryReadConfig(status.Id)?.Mounts ?? [])
            {
                if (mount is { Kind: MountKind.Volume, Source: { } name })
                {
                    used.Add(name);
                }
            }
        }

        return used;
    }

    /// <summary>Removes a volume that no container mounts.</summary>
    /// <exception cref="EngineException">NotFound; Conflict: in use.</exception>
    public void RemoveVolume(string name)
    {
        Volumes.Read(name);
        IReadOnlyList<ContainerStatus> users = UsersOfVolume(name);
        if (users.Count > 0)
        {
            throw EngineException.Conflict($"remove {name}: volume is in use - [{users[0].Id.Hex}]");
        }

        Volumes.Remove(name);
    }

    private bool Mounts(ContainerId id, string volume)
    {
        try
        {
            foreach (MountConfig mount in Containers.ReadConfig(id).Mounts ?? [])
            {
                if (mount.Kind == MountKind.Volume && mount.Source == volume)
                {
                    return true;
                }
            }
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.NotFound)
        {
            // Removed since it was listed.
        }

        return false;
    }

    /// <summary>False where the request meets a conflict: the object's state has changed since it was looked at.</summary>
    private static bool UnlessConflict(Action request)
    {
        try
        {
            request();
            return true;
        }
        catch (EngineException e) when (e.Kind == EngineErrorKind.Conflict)
        {
            return false;
        }
    }

    private bool IsImage(string reference)
    {
        try
        {
            return Images.Find(reference).Image is not null;
        }
        catch (Exception e) when (e is ImageException or SyscallException)
        {
            // A hint is not worth a second error.
            return false;
        }
    }

    /// <summary>Names the container and the operation in an error of a lower floor.</summary>
    private static EngineException Wrap(string operation, Exception e) => e switch
    {
        EngineException engine => engine,
        NetworkException network => NetworkFailure.Wrap(network),
        ImageException image => new EngineException(
            image.Kind switch
            {
                ImageError.NotFound => EngineErrorKind.NotFound,
                ImageError.Invalid => EngineErrorKind.Invalid,
                ImageError.Conflict => EngineErrorKind.Conflict,
                _ => EngineErrorKind.System,
            },
            image.Message, image),
        SyscallException { Errno: Errno.EACCES or Errno.EPERM } denied when !HullProcess.IsRoot => new EngineException(
            EngineErrorKind.Forbidden, $"{operation}: {denied.Message}: hull needs root; run it as root or with sudo", denied),
        _ => new EngineException(EngineErrorKind.System, $"{operation}: {e.Message}", e),
    };
}
