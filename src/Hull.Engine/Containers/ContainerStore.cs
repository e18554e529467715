using System.Text.Json;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>The container records of a data root: one directory a container, one symbolic link a name.</summary>
/// <remarks>
/// Stateless: every call reads the disk, so that any number of processes work side by side. The order of writes makes a
/// kill at any instant harmless:
/// <list type="bullet">
/// <item>create: staging directory <c>new-ID</c>, name link, content, rename to ID. Until the rename nobody finds it; a name
/// whose container is missing counts as free.</item>
/// <item>remove: rename to <c>new-gone-ID</c>, then name link, anonymous volumes, tree, runtime directory.</item>
/// </list>
/// Both hold <c>containers/lock</c> shared. Who gets it exclusively knows that every <c>new-*</c> is a leftover.
/// </remarks>
public sealed partial class ContainerStore
{
    private const string StagingPrefix = "new-";
    private const string GonePrefix = "new-gone-";
    private const string GoneWithVolumesPrefix = "new-gone+volumes-";
    private const uint PrivateMode = 0x1C0;
    private const uint RootMode = 0x1ED;
    private const uint RecordMode = 0x180;

    private readonly HullPaths _paths;
    private readonly string _lockFile;
    private readonly string _namesLockFile;

    public ContainerStore(HullPaths paths)
    {
        _paths = paths;
        _lockFile = paths.Containers + "/lock";
        _namesLockFile = paths.Containers + "/names.lock";
    }

    public HullPaths Paths => _paths;

    /// <summary>Whether the container's record is there.</summary>
    public bool Exists(ContainerId id) => Files.TryStatAt(null, _paths.ContainerDirectory(id), followLinks: false, out _) is not null;

    /// <summary>What the container is.</summary>
    /// <exception cref="EngineException">NotFound, or System where the record is damaged.</exception>
    public ContainerConfig ReadConfig(ContainerId id)
    {
        byte[] text = ReadRecord(_paths.ConfigFile(id), 64 << 20, id);
        try
        {
            return ConfigCodec.Read(text);
        }
        catch (JsonException e)
        {
            throw Damaged(_paths.ConfigFile(id), e);
        }
    }

    /// <summary>The status as it stands on disk: a live state is true only while the monitor's lock is held.</summary>
    /// <exception cref="EngineException">NotFound, or System where the record is damaged.</exception>
    public ContainerStatus ReadStatus(ContainerId id)
    {
        byte[] text = ReadRecord(_paths.StatusFile(id), StatusCodec.MaxBytes, id);
        try
        {
            return StatusCodec.Read(text);
        }
        catch (JsonException e)
        {
            throw Damaged(_paths.StatusFile(id), e);
        }
    }

    /// <summary>Records a new container under its name.</summary>
    /// <param name="populate">Fills the directory (its path is the argument) before anyone can find it; the config is there
    /// already, so that a sweep after a kill knows which volumes were being made.</param>
    /// <exception cref="EngineException">Conflict: the name is in use.</exception>
    public void Create(ContainerConfig config, ContainerStatus status, bool durable, Action<string>? populate = null)
    {
        EnsureDirectories();
        if (!TryCreate(config, status, durable, populate, out ContainerId owner))
        {
            // The name's owner is only half made: by a process that works on it now, or by one that was killed.
            Sweep(null);
            if (!TryCreate(config, status, durable, populate, out owner))
            {
                throw NameInUse(config.Name, owner);
            }
        }
    }

    private bool TryCreate(ContainerConfig config, ContainerStatus status, bool durable, Action<string>? populate, out ContainerId owner)
    {
        string staging = StagingOf(config.Id);
        // Shared: creators do not wait for each other, a sweeper waits for all of them.
        using FileLock creating = FileLock.Acquire(_lockFile, shared: true);
        Files.MakeDirectory(null, staging, PrivateMode);
        try
        {
            switch (ClaimName(config.Name, config.Id, out owner))
            {
                case NameClaim.InUse:
                    throw NameInUse(config.Name, owner);
                case NameClaim.OwnerStaging:
                    Files.RemoveDirectory(null, staging);
                    return false;
                default:
                    break;
            }

            WriteNew(staging + "/config.json", ConfigCodec.Write(config), durable);
            WriteNew(staging + "/status.json", StatusCodec.Write(status), durable);
            // The root directory of the container's filesystem: as Docker makes it, whatever the umask.
            Files.MakeDirectory(null, staging + "/upper", RootMode);
            Files.MakeDirectory(null, staging + "/work", PrivateMode);
            populate?.Invoke(staging);
            Files.Rename(staging, _paths.ContainerDirectory(config.Id));
        }
        catch
        {
            DirectoryListing.RemoveTree(staging);
            ReleaseName(config.Name, config.Id);
            throw;
        }

        if (durable)
        {
            SyncDirectory(_paths.Containers);
        }

        return true;
    }

    /// <summary>Removes the container with everything it has on disk. The caller holds the monitor lock, and nothing of the
    /// container runs.</summary>
    /// <param name="anonymousVolumes">Called with each anonymous volume's name, to remove it too; null keeps them.</param>
    public void Remove(ContainerId id, string name, Action<string>? anonymousVolumes)
    {
        using FileLock removing = FileLock.Acquire(_lockFile, shared: true);
        string gone = string.Concat(_paths.Containers, "/", anonymousVolumes is null ? GonePrefix : GoneWithVolumesPrefix, id.Hex);
        using (LockRecord(id))
        {
            Files.Rename(_paths.ContainerDirectory(id), gone);
        }

        ReleaseName(name, id);
        Discard(gone, anonymousVolumes);
        DirectoryListing.RemoveTree(_paths.RuntimeDirectory(id));
    }

    /// <summary>Removes what killed processes left: staging directories, half-removed containers. Does nothing where another
    /// process is creating or removing; the next sweep comes.</summary>
    /// <param name="anonymousVolumes">Removes a volume that a half-finished removal was to take with it.</param>
    public void Sweep(Action<string>? anonymousVolumes)
    {
        using FileLock? sweeping = FileLock.TryAcquire(_lockFile);
        if (sweeping is null)
        {
            return;
        }

        using SafeFileHandle? directory = OpenContainers();
        if (directory is null)
        {
            return;
        }

        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, _paths.Containers))
        {
            if (entry.Name.AsSpan().StartsWith("new-"u8))
            {
                string name = System.Text.Encoding.UTF8.GetString(entry.Name);
                Discard(string.Concat(_paths.Containers, "/", name), name.StartsWith(GonePrefix, StringComparison.Ordinal) ? null : anonymousVolumes);
                int dash = name.LastIndexOf('-');
                if (ContainerId.TryParse(name[(dash + 1)..], out ContainerId id))
                {
                    DirectoryListing.RemoveTree(_paths.RuntimeDirectory(id));
                }
            }
        }
    }

    private static void Discard(string directory, Action<string>? anonymousVolumes)
    {
        if (anonymousVolumes is not null)
        {
            foreach (string volume in AnonymousVolumes(directory))
            {
                anonymousVolumes(volume);
            }
        }

        DirectoryListing.RemoveTree(directory);
    }

    private static List<string> AnonymousVolumes(string directory)
    {
        List<string> names = [];
        using SafeFileHandle? file = Files.TryOpenAt(null, directory + "/config.json", OpenFlags.ReadOnly, 0, out _);
        if (file is null)
        {
            // A sweep that was killed in mid-tree: the volumes went first.
            return names;
        }

        try
        {
            ContainerConfig config = ConfigCodec.Read(Files.ReadAll(file, 64 << 20));
            foreach (MountConfig mount in config.Mounts ?? [])
            {
                if (mount is { Kind: MountKind.Volume, Anonymous: true, Source: { } name, Origin: not MountOrigin.VolumesFrom })
                {
                    names.Add(name);
                }
            }
        }
        catch (JsonException)
        {
            // A damaged record must not keep its directory for ever; its volumes stay listed and can be removed by name.
        }

        return names;
    }

    private static byte[] ReadRecord(string path, int limit, ContainerId id)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        return file is not null ? Files.ReadAll(file, limit, path)
            : errno == Errno.ENOENT ? throw EngineException.NotFound($"No such container: {id.Short}")
            : throw Unreadable(path, errno);
    }

    private void EnsureDirectories()
    {
        if (Files.TryStatAt(null, _paths.Names, followLinks: false, out Errno errno) is null)
        {
            if (errno != Errno.ENOENT)
            {
                throw Unreadable(_paths.Names, errno);
            }

            Files.MakeDirectories(_paths.Names, PrivateMode);
            // ext4 looks at every inode that was deleted lately before it takes a new one, block group by block group. Containers that
            // come and go in one group make each other slow: a quarter of the time of `run -d`, eight at a time.
            Files.TrySpreadSubdirectories(_paths.Containers);
        }
    }

    private SafeFileHandle? OpenContainers()
    {
        SafeFileHandle? directory = Files.TryOpenAt(null, _paths.Containers, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        return directory is not null || errno == Errno.ENOENT ? directory : throw Unreadable(_paths.Containers, errno);
    }

    private static EngineException Unreadable(string path, Errno errno)
    {
        SyscallException inner = new("open", path, errno);
        return errno is Errno.EACCES or Errno.EPERM
            ? new EngineException(EngineErrorKind.Forbidden, $"{inner.Message}: this store belongs to root; run hull as root, or name another with --data-root and --exec-root", inner)
            : new EngineException(EngineErrorKind.System, inner.Message, inner);
    }

    private static EngineException Damaged(string path, Exception inner) =>
        new(EngineErrorKind.System, $"{path} is damaged ({inner.Message}); remove the container with 'hull rm -f' and create it again", inner);

    private static void WriteNew(string path, ReadOnlySpan<byte> content, bool durable)
    {
        using SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, RecordMode);
        Files.Write(file, content, path);
        if (durable)
        {
            Files.Sync(file, path);
        }
    }

    private static void SyncDirectory(string path)
    {
        using SafeFileHandle directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.Sync(directory, path);
    }
}
